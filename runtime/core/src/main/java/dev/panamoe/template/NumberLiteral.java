package dev.panamoe.template;

/// A number in an expression: `12`, `1_000`, `0x1f`, `1.5`, `2e-3`.
///
/// @param end index after it
record NumberLiteral(Object value, int end) {
    /// Reads the number whose first digit is at `start`.
    static NumberLiteral read(String s, int start) {
        int radix = s.charAt(start) == '0' && start + 1 < s.length() ? Numbers.radix(s.charAt(start + 1)) : 10;
        if (radix != 10) {
            int end = digits(s, start + 2, radix);
            if (end > start + 2) {
                return new NumberLiteral(integer(s.substring(start, end), radix), end);
            }
        }
        int end = digits(s, start, 10);
        int whole = end;
        if (isDigit(s, end + 1, 10) && s.charAt(end) == '.') {
            end = digits(s, end + 1, 10);
        }
        if (end < s.length() && (s.charAt(end) == 'e' || s.charAt(end) == 'E')) {
            int exponent = end + 1;
            if (exponent < s.length() && (s.charAt(exponent) == '-' || s.charAt(exponent) == '+')) {
                exponent++;
            }
            if (isDigit(s, exponent, 10)) {
                end = digits(s, exponent, 10);
            }
        }
        String text = s.substring(start, end);
        if (end == whole) {
            return new NumberLiteral(integer(text, 10), end);
        }
        return new NumberLiteral(Numbers.parseReal(text).orElseThrow(() -> invalid(text)), end);
    }

    private static Object integer(String text, int radix) {
        return Numbers.parseInt(text, radix).orElseThrow(() -> invalid(text));
    }

    private static TemplateException invalid(String text) {
        return new TemplateException("TemplateSyntaxError", "invalid number " + text);
    }

    private static int digits(String s, int start, int radix) {
        int i = start;
        while (isDigit(s, i, radix) || (i > 0 && i < s.length() && s.charAt(i) == '_' && isDigit(s, i + 1, radix))) {
            i++;
        }
        return i;
    }

    private static boolean isDigit(String s, int i, int radix) {
        return i < s.length() && s.charAt(i) < 128 && Character.digit(s.charAt(i), radix) >= 0;
    }
}
