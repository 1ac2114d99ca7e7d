package dev.panamoe.tokenizer;

/// The pre-tokeniser of GPT-2:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
final class Gpt2Split {
    static final Splitter SPLITTER = Splitter.matches(Gpt2Split::match);

    /// That of StarCoder and others, which split off every `\p{N}` first.
    static final Splitter DIGITS_APART =
            Splitter.matches(Splitter.run(CodePointClass::number, 1)).then(SPLITTER);

    private Gpt2Split() {}

    private static int match(int[] text, int at, int to) {
        int end = contraction(text, at, to);
        if (end > at) {
            return end;
        }
        int word = text[at] == ' ' && at + 1 < to ? at + 1 : at;
        if (CodePointClass.letter(text[word])) {
            return Splitter.runEnd(text, word, to, CodePointClass::letter);
        }
        if (CodePointClass.number(text[word])) {
            return Splitter.runEnd(text, word, to, CodePointClass::number);
        }
        if (isOther(text[word])) {
            return Splitter.runEnd(text, word, to, Gpt2Split::isOther);
        }
        return spaces(text, at, to);
    }

    /// `\s+(?!\S)|\s+`: a run of spaces leaves its last one to the word after it, unless it has only one.
    static int spaces(int[] text, int at, int to) {
        int end = Splitter.runEnd(text, at, to, CodePointClass::space);
        return end < to && end - at > 1 ? end - 1 : end;
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: a run of spaces that has newlines ends with the last of them.
    static int linesOrSpaces(int[] text, int at, int to) {
        int end = Splitter.runEnd(text, at, to, CodePointClass::space);
        for (int i = end; i > at; i--) {
            if (CodePointClass.newline(text[i - 1])) {
                return i;
            }
        }
        return spaces(text, at, to);
    }

    /// `[^\s\p{L}\p{N}]`
    static boolean isOther(int c) {
        return !CodePointClass.space(c) && !CodePointClass.letter(c) && !CodePointClass.number(c);
    }

    private static int contraction(int[] text, int at, int to) {
        if (text[at] != '\'' || at + 1 >= to) {
            return at;
        }
        int first = text[at + 1];
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return at + 2;
        }
        int second = at + 2 < to ? text[at + 2] : 0;
        boolean two = ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
        return two ? at + 3 : at;
    }
}
