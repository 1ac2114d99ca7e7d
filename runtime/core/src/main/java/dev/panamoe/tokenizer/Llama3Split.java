package dev.panamoe.tokenizer;

/// The pre-tokenisers of Llama 3 and of Qwen 2 and 3, which differ in the digits that stay together, three or one. With
/// `C` for `(?i:'s|'t|'re|'ve|'m|'ll|'d)`:
///
/// `C|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
final class Llama3Split {
    static final Splitter THREE_DIGITS = splitter(3);
    static final Splitter ONE_DIGIT = splitter(1);

    private Llama3Split() {}

    private static Splitter splitter(int digits) {
        return Splitter.matches((text, at, to) -> match(text, at, to, digits));
    }

    private static int match(int[] text, int at, int to, int digits) {
        int end = contraction(text, at, to);
        if (end > at) {
            return end;
        }
        int c = text[at];
        int next = at + 1 < to ? text[at + 1] : -1;
        if (CodePointClass.letter(c)) {
            return Splitter.runEnd(text, at, to, CodePointClass::letter);
        }
        if (CodePointClass.number(c)) {
            return Splitter.run(CodePointClass::number, digits).match(text, at, to);
        }
        if (!CodePointClass.newline(c) && CodePointClass.letter(next)) {
            return Splitter.runEnd(text, at + 1, to, CodePointClass::letter);
        }
        int symbols = c == ' ' && at + 1 < to ? at + 1 : at;
        if (Gpt2Split.isOther(text[symbols])) {
            end = Splitter.runEnd(text, symbols, to, Gpt2Split::isOther);
            return Splitter.runEnd(text, end, to, CodePointClass::newline);
        }
        return Gpt2Split.linesOrSpaces(text, at, to);
    }

    /// The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `at`, or `at`. Folding case as Unicode does, U+017F is an s too.
    static int contraction(int[] text, int at, int to) {
        if (at + 1 >= to || text[at] != '\'') {
            return at;
        }
        int first = lowerCase(text[at + 1]);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return at + 2;
        }
        int second = at + 2 < to ? lowerCase(text[at + 2]) : -1;
        boolean two =
                (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
        return two ? at + 3 : at;
    }

    private static int lowerCase(int c) {
        if (c == 0x17F) {
            return 's';
        }
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }
}
