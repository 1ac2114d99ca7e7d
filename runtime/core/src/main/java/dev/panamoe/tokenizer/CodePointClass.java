package dev.panamoe.tokenizer;

/// The classes of characters that pre-tokenisers name, by the Unicode general categories of the running JDK
/// (Unicode 16 in Java 25).
final class CodePointClass {
    private static final int LETTER = (1 << Character.UPPERCASE_LETTER)
            | (1 << Character.LOWERCASE_LETTER)
            | (1 << Character.TITLECASE_LETTER)
            | (1 << Character.MODIFIER_LETTER)
            | (1 << Character.OTHER_LETTER);
    private static final int MARK = (1 << Character.NON_SPACING_MARK)
            | (1 << Character.ENCLOSING_MARK)
            | (1 << Character.COMBINING_SPACING_MARK);
    private static final int NUMBER =
            (1 << Character.DECIMAL_DIGIT_NUMBER) | (1 << Character.LETTER_NUMBER) | (1 << Character.OTHER_NUMBER);
    private static final int PUNCTUATION = (1 << Character.CONNECTOR_PUNCTUATION)
            | (1 << Character.DASH_PUNCTUATION)
            | (1 << Character.START_PUNCTUATION)
            | (1 << Character.END_PUNCTUATION)
            | (1 << Character.INITIAL_QUOTE_PUNCTUATION)
            | (1 << Character.FINAL_QUOTE_PUNCTUATION)
            | (1 << Character.OTHER_PUNCTUATION);
    private static final int SYMBOL = (1 << Character.MATH_SYMBOL)
            | (1 << Character.CURRENCY_SYMBOL)
            | (1 << Character.MODIFIER_SYMBOL)
            | (1 << Character.OTHER_SYMBOL);

    private CodePointClass() {}

    /// `\p{L}`
    static boolean letter(int c) {
        return is(c, LETTER);
    }

    /// `[\p{L}\p{M}]`
    static boolean letterOrMark(int c) {
        return is(c, LETTER | MARK);
    }

    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
    static boolean upperOrUncased(int c) {
        return is(c, (LETTER | MARK) & ~(1 << Character.LOWERCASE_LETTER));
    }

    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
    static boolean lowerOrUncased(int c) {
        return is(c, (LETTER | MARK) & ~(1 << Character.UPPERCASE_LETTER | 1 << Character.TITLECASE_LETTER));
    }

    /// `\p{P}`
    static boolean punctuation(int c) {
        return is(c, PUNCTUATION);
    }

    /// `\p{N}`
    static boolean number(int c) {
        return is(c, NUMBER);
    }

    /// `[\p{P}\p{S}]`
    static boolean punctuationOrSymbol(int c) {
        return is(c, PUNCTUATION | SYMBOL);
    }

    /// `\s`: the Unicode property White_Space, which differs from `Character.isWhitespace` in the no-break spaces and
    /// the information separators.
    static boolean space(int c) {
        if (c < 0x80) {
            return c == ' ' || (c >= '\t' && c <= '\r');
        }
        return c == 0x85
                || c == 0xA0
                || c == 0x1680
                || (c >= 0x2000 && c <= 0x200A)
                || c == 0x2028
                || c == 0x2029
                || c == 0x202F
                || c == 0x205F
                || c == 0x3000;
    }

    /// `[\r\n]`
    static boolean newline(int c) {
        return c == '\n' || c == '\r';
    }

    /// `[A-Za-z]`
    static boolean asciiLetter(int c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }

    /// The 32 characters of ASCII that are neither letters, digits, spaces nor controls.
    static boolean asciiPunctuation(int c) {
        return c > ' ' && c < 0x7F && !asciiLetter(c) && !(c >= '0' && c <= '9');
    }

    private static boolean is(int c, int categories) {
        return ((categories >>> Character.getType(c)) & 1) != 0;
    }
}
