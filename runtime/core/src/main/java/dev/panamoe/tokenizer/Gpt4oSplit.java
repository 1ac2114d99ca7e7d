package dev.panamoe.tokenizer;

/// The pre-tokeniser of GPT-4o, gpt-oss and Llama 4, one alternation. With `U` for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`,
/// `L` for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` and `C` for `(?i:'s|'t|'re|'ve|'m|'ll|'d)`:
///
/// `[^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
///
/// That of Mistral's Tekken is the same without `C?` and with `\p{N}` for the digits.
final class Gpt4oSplit {
    static final Splitter SPLITTER = splitter(true, 3);
    static final Splitter TEKKEN = splitter(false, 1);

    private Gpt4oSplit() {}

    private static Splitter splitter(boolean contractions, int digits) {
        return Splitter.matches((text, at, to) -> {
            int word = word(text, at, to);
            if (word > at) {
                return contractions ? Llama3Split.contraction(text, word, to) : word;
            }
            return other(text, at, to, digits);
        });
    }

    /// The end of the first two alternatives without `C?`, or `at`. A mark may be the optional first character as well
    /// as part of the word; the regular expression tries the former first.
    private static int word(int[] text, int at, int to) {
        int c = text[at];
        boolean prefix = !CodePointClass.newline(c) && !CodePointClass.letter(c) && !CodePointClass.number(c);
        int end = at;
        if (prefix && at + 1 < to) {
            end = lowerEnd(text, at + 1, to);
            end = end > at + 1 ? end : at;
        }
        if (end == at) {
            end = lowerEnd(text, at, to);
        }
        if (end == at && prefix && at + 1 < to) {
            end = upperEnd(text, at + 1, to);
            end = end > at + 1 ? end : at;
        }
        return end == at ? upperEnd(text, at, to) : end;
    }

    /// The end of `U*L+`, or `at`: where no lower-case letter follows the first run, that run gives back what is behind
    /// its last character that is also in `L`.
    private static int lowerEnd(int[] text, int at, int to) {
        int end = Splitter.runEnd(text, at, to, CodePointClass::upperOrUncased);
        if (end < to && CodePointClass.lowerOrUncased(text[end])) {
            return Splitter.runEnd(text, end, to, CodePointClass::lowerOrUncased);
        }
        while (end > at && !CodePointClass.lowerOrUncased(text[end - 1])) {
            end--;
        }
        return end;
    }

    /// The end of `U+L*`, or `at`. It is tried only where `U*L+` fails, so nothing of `L` follows.
    private static int upperEnd(int[] text, int at, int to) {
        return Splitter.runEnd(text, at, to, CodePointClass::upperOrUncased);
    }

    private static int other(int[] text, int at, int to, int digits) {
        if (CodePointClass.number(text[at])) {
            return Splitter.run(CodePointClass::number, digits).match(text, at, to);
        }
        int symbols = text[at] == ' ' && at + 1 < to ? at + 1 : at;
        if (Gpt2Split.isOther(text[symbols])) {
            int end = Splitter.runEnd(text, symbols, to, Gpt2Split::isOther);
            return Splitter.runEnd(text, end, to, c -> CodePointClass.newline(c) || c == '/');
        }
        return Gpt2Split.linesOrSpaces(text, at, to);
    }
}
