package dev.panamoe.template;

import java.util.function.Function;

/// A quoted text in an expression, with the escapes that Jinja2 knows.
///
/// @param end index after the closing quote
record StringLiteral(String value, int end) {
    /// Reads the text whose opening quote is at `start`.
    static StringLiteral read(String s, int start, Function<String, TemplateException> error) {
        char quote = s.charAt(start);
        var b = new StringBuilder();
        int i = start + 1;
        while (true) {
            if (i >= s.length()) {
                throw error.apply("unexpected char " + Repr.of(String.valueOf(quote)));
            }
            char c = s.charAt(i++);
            if (c == quote) {
                return new StringLiteral(b.toString(), i);
            }
            if (c != '\\' || i >= s.length()) {
                b.append(c);
                continue;
            }
            c = s.charAt(i++);
            switch (c) {
                case 'n' -> b.append('\n');
                case 't' -> b.append('\t');
                case 'r' -> b.append('\r');
                case 'b' -> b.append('\b');
                case 'f' -> b.append('\f');
                case 'v' -> b.append('\u000b');
                case 'a' -> b.append('\u0007');
                case '\\', '\'', '"' -> b.append(c);
                case '\n' -> {} // A newline after a backslash joins the lines.
                case 'x' -> i = code(s, i, 2, 16, b, error);
                case 'u' -> i = code(s, i, 4, 16, b, error);
                case 'U' -> i = code(s, i, 8, 16, b, error);
                case '0', '1', '2', '3', '4', '5', '6', '7' -> i = octal(s, i - 1, b, error);
                default -> b.append('\\').append(c);
            }
        }
    }

    private static int octal(String s, int start, StringBuilder b, Function<String, TemplateException> error) {
        int n = 1;
        while (n < 3 && start + n < s.length() && Character.digit(s.charAt(start + n), 8) >= 0) {
            n++;
        }
        return code(s, start, n, 8, b, error);
    }

    private static int code(
            String s, int start, int digits, int radix, StringBuilder b, Function<String, TemplateException> error) {
        long code = 0;
        for (int i = start; i < start + digits; i++) {
            int digit = i < s.length() ? Character.digit(s.charAt(i), radix) : -1;
            if (digit < 0) {
                throw error.apply("truncated escape in a string");
            }
            code = code * radix + digit;
        }
        if (code > Character.MAX_CODE_POINT) {
            throw error.apply("illegal Unicode character in a string");
        }
        b.appendCodePoint((int) code);
        return start + digits;
    }
}
