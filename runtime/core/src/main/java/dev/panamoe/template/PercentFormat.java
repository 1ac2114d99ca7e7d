package dev.panamoe.template;

import java.util.List;

/// Python's `text % values`: `%s %r %d %x %o %f %e %g %%` with flags, width and precision.
final class PercentFormat {
    private PercentFormat() {}

    static String format(String s, Object values) {
        var arguments = values instanceof Tuple t ? t.items() : List.of(values);
        var b = new StringBuilder();
        int used = 0;
        int at = 0;
        while (true) {
            int percent = s.indexOf('%', at);
            if (percent < 0) {
                break;
            }
            b.append(s, at, percent);
            int flags = percent + 1;
            while (flags < s.length() && "-+ 0#".indexOf(s.charAt(flags)) >= 0) {
                flags++;
            }
            int width = FormatSpec.skipDigits(s, flags);
            boolean precise = width < s.length() && s.charAt(width) == '.';
            int end = precise ? FormatSpec.skipDigits(s, width + 1) : width;
            if (end >= s.length()) {
                throw TemplateException.valueError("incomplete format");
            }
            char type = s.charAt(end);
            at = end + 1;
            if (type == '%') {
                b.append('%');
                continue;
            }
            if (used >= arguments.size()) {
                throw TemplateException.typeError("not enough arguments for format string");
            }
            int precision = precise ? FormatSpec.number(s, width + 1, end) : -1;
            var spec = spec(s.substring(percent + 1, flags), FormatSpec.number(s, flags, width), precision, type);
            b.append(spec.apply(arguments.get(used++)));
            Budget.step();
            Budget.growing(b.length());
        }
        if (values instanceof Tuple && used < arguments.size()) {
            throw TemplateException.typeError("not all arguments converted during string formatting");
        }
        b.append(s, at, s.length());
        return b.toString();
    }

    private static FormatSpec spec(String flags, int width, int precision, char type) {
        boolean left = flags.indexOf('-') >= 0;
        boolean zero = flags.indexOf('0') >= 0 && !left && type != 's' && type != 'r';
        char sign = flags.indexOf('+') >= 0 ? '+' : flags.indexOf(' ') >= 0 ? ' ' : '-';
        return new FormatSpec(zero ? '0' : ' ', left ? '<' : zero ? '=' : '>', sign, false, width, precision, type);
    }
}
