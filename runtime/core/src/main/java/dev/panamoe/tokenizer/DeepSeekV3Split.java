package dev.panamoe.tokenizer;

/// The pre-tokeniser of DeepSeek V3 and R1, three splits one after the other:
///
/// 1. `\p{N}{1,3}`
/// 2. `[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+`
/// 3. ``[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``
final class DeepSeekV3Split {
    static final Splitter SPLITTER = Splitter.matches(Splitter.run(CodePointClass::number, 3))
            .then(Splitter.matches(Splitter.run(DeepSeekV3Split::isHanOrKana)))
            .then(Splitter.matches(DeepSeekV3Split::match));

    private DeepSeekV3Split() {}

    private static boolean isHanOrKana(int c) {
        return (c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF);
    }

    private static int match(int[] text, int at, int to) {
        int c = text[at];
        int next = at + 1 < to ? text[at + 1] : -1;
        if (CodePointClass.asciiPunctuation(c) && CodePointClass.asciiLetter(next)) {
            return Splitter.runEnd(text, at + 1, to, CodePointClass::asciiLetter);
        }
        if (CodePointClass.letterOrMark(c)) {
            return Splitter.runEnd(text, at, to, CodePointClass::letterOrMark);
        }
        if (CodePointClass.punctuationOrSymbol(c)) {
            return symbols(text, at, to);
        }
        if (!CodePointClass.newline(c) && CodePointClass.letterOrMark(next)) {
            return Splitter.runEnd(text, at + 1, to, CodePointClass::letterOrMark);
        }
        if (c == ' ' && CodePointClass.punctuationOrSymbol(next)) {
            return symbols(text, at + 1, to);
        }
        return Gpt2Split.linesOrSpaces(text, at, to);
    }

    /// `[\p{P}\p{S}]+[\r\n]*`
    private static int symbols(int[] text, int at, int to) {
        int end = Splitter.runEnd(text, at, to, CodePointClass::punctuationOrSymbol);
        return Splitter.runEnd(text, end, to, CodePointClass::newline);
    }
}
