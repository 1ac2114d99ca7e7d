package dev.panamoe.template;

/// Python's `text.format(…)`: `{}`, `{0}`, `{name}`, each with `!r` or `!s` and
/// `:[[fill]align][sign][0][width][,][.precision][type]`.
final class BraceFormat {
    private BraceFormat() {}

    static Object format(String s, Arguments a) {
        var b = new StringBuilder();
        int next = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            Budget.growing(b.length());
            if (c != '{' && c != '}') {
                b.append(c);
                continue;
            }
            if (i + 1 < s.length() && s.charAt(i + 1) == c) {
                b.append(c);
                i++;
                continue;
            }
            int end = s.indexOf('}', i);
            if (c == '}' || end < 0) {
                throw TemplateException.valueError("Single '" + c + "' encountered in format string");
            }
            String field = s.substring(i + 1, end);
            int colon = field.indexOf(':');
            String name = colon < 0 ? field : field.substring(0, colon);
            boolean repr = name.endsWith("!r");
            name = repr || name.endsWith("!s") ? name.substring(0, name.length() - 2) : name;
            Object value = name.isEmpty() ? positional(next++, a) : argument(name, a);
            b.append(spec(colon < 0 ? "" : field.substring(colon + 1)).apply(repr ? Repr.of(value) : value));
            Budget.step();
            i = end;
        }
        return b.toString();
    }

    private static Object argument(String name, Arguments a) {
        if (FormatSpec.skipDigits(name, 0) == name.length()) {
            return positional(FormatSpec.number(name, 0, name.length()), a);
        }
        Object value = a.named().get(name);
        if (value == null) {
            throw new TemplateException("KeyError", Repr.of(name));
        }
        return value;
    }

    private static Object positional(int i, Arguments a) {
        if (i >= a.positional().size()) {
            throw new TemplateException("IndexError", "Replacement index " + i + " out of range");
        }
        return a.get(i);
    }

    private static FormatSpec spec(String s) {
        int i = 0;
        char fill = ' ';
        char align = '\0';
        if (s.length() > 1 && "<>^=".indexOf(s.charAt(1)) >= 0) {
            fill = s.charAt(0);
            align = s.charAt(1);
            i = 2;
        } else if (!s.isEmpty() && "<>^=".indexOf(s.charAt(0)) >= 0) {
            align = s.charAt(i++);
        }
        char sign = '-';
        if (i < s.length() && "+- ".indexOf(s.charAt(i)) >= 0) {
            sign = s.charAt(i++);
        }
        if (i < s.length() && s.charAt(i) == '0') {
            fill = '0';
            align = align == '\0' ? '=' : align;
            i++;
        }
        int end = FormatSpec.skipDigits(s, i);
        int width = FormatSpec.number(s, i, end);
        boolean grouped = end < s.length() && s.charAt(end) == ',';
        end += grouped ? 1 : 0;
        int precision = -1;
        if (end < s.length() && s.charAt(end) == '.') {
            int digits = end + 1;
            end = FormatSpec.skipDigits(s, digits);
            precision = FormatSpec.number(s, digits, end);
        }
        if (s.length() > end + 1) {
            throw TemplateException.valueError("Invalid format specifier '" + s + "'");
        }
        char type = end < s.length() ? s.charAt(end) : '\0';
        return new FormatSpec(fill, align, sign, grouped, width, precision, type);
    }
}
