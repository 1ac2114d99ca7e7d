package dev.panamoe.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/// How one value is put into a text by `%` or `format`.
///
/// @param fill what pads to the width
/// @param align `<`, `>`, `^`, `=` (after the sign), or `\0` for the type's own
/// @param sign `-`, `+` or a space: what stands before a positive number
/// @param width in code points; 0 for none
/// @param precision digits after the point, or the most characters of a text; -1 for none
/// @param type the conversion, such as `d` or `s`; `\0` for the value's own
record FormatSpec(char fill, char align, char sign, boolean grouped, int width, int precision, char type) {
    /// Of width and precision.
    static final int MAX = 1_000;

    FormatSpec {
        if (width > MAX || precision > MAX) {
            throw TemplateException.limit("a format is wider than " + MAX);
        }
    }

    /// Digits from `at` on as a number of at most [#MAX] + 1.
    static int number(String s, int from, int to) {
        int n = 0;
        for (int i = from; i < to; i++) {
            n = Math.min(MAX + 1, n * 10 + (s.charAt(i) - '0'));
        }
        return n;
    }

    static int skipDigits(String s, int from) {
        int i = from;
        while (i < s.length() && s.charAt(i) >= '0' && s.charAt(i) <= '9') {
            i++;
        }
        return i;
    }

    String apply(Object value) {
        return switch (type) {
            case 's' -> text(Repr.str(value));
            case 'r' -> text(Repr.of(value));
            case 'd', 'i', 'u' ->
                number(
                        value instanceof Double d
                                ? truncated(d).toString()
                                : Numbers.big(value).toString());
            case 'x' -> number(Numbers.big(value).toString(16));
            case 'X' -> number(Numbers.big(value).toString(16).toUpperCase(Locale.ROOT));
            case 'o' -> number(Numbers.big(value).toString(8));
            case 'b' -> number(Numbers.big(value).toString(2));
            case 'f', 'F', 'e', 'E', 'g', 'G', '%' -> real(value);
            case '\0' -> {
                if (!Types.isNumber(value) || value instanceof Boolean) {
                    yield text(Repr.str(value));
                }
                yield value instanceof Double && precision >= 0
                        ? new FormatSpec(fill, align, sign, grouped, width, precision, 'g').apply(value)
                        : number(Repr.str(value));
            }
            default -> throw TemplateException.valueError("unsupported format character '" + type + "'");
        };
    }

    private static Object truncated(double d) {
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            throw TemplateException.valueError("cannot convert float " + Repr.of(d) + " to integer");
        }
        return new BigDecimal(d).toBigInteger();
    }

    private String text(String s) {
        String cut = precision >= 0 && Text.length(s) > precision ? Text.slice(s, 0, precision) : s;
        return pad("", cut, '<');
    }

    private String number(String digits) {
        boolean negative = digits.startsWith("-");
        String body = negative ? digits.substring(1) : digits;
        return pad(negative ? "-" : sign == '-' ? "" : String.valueOf(sign), grouped ? group(body) : body, '>');
    }

    private static String group(String s) {
        int end = FormatSpec.skipDigits(s, 0);
        var b = new StringBuilder(s);
        for (int i = end - 3; i > 0; i -= 3) {
            b.insert(i, ',');
        }
        return b.toString();
    }

    private String real(Object value) {
        if (!Types.isNumber(Types.defined(value))) {
            throw TemplateException.typeError("must be real number, not " + Types.name(value));
        }
        double d = Numbers.real(value);
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            return number(Repr.of(d));
        }
        int digits = precision < 0 ? 6 : precision;
        return number(
                switch (type) {
                    case 'f', 'F' -> fixed(new BigDecimal(d), digits, d);
                    case '%' -> fixed(new BigDecimal(d).movePointRight(2), digits, d) + "%";
                    case 'g', 'G' -> general(d, Math.max(1, digits));
                    default -> scientific(d, digits);
                });
    }

    private static String fixed(BigDecimal x, int digits, double d) {
        String s = x.setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
        boolean lostSign = (d < 0 || 1 / d < 0) && !s.startsWith("-");
        return lostSign ? "-" + s : s;
    }

    private String scientific(double d, int digits) {
        if (d == 0) {
            return fixed(BigDecimal.ZERO, digits, d) + "e+00";
        }
        var x = new BigDecimal(d).round(new MathContext(digits + 1, RoundingMode.HALF_EVEN));
        int exponent = x.precision() - x.scale() - 1;
        String mantissa = fixed(x.movePointLeft(exponent), digits, d);
        int size = Math.abs(exponent);
        String s = mantissa + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
        return type == 'E' ? s.toUpperCase(Locale.ROOT) : s;
    }

    private String general(double d, int digits) {
        if (d == 0) {
            return 1 / d < 0 ? "-0" : "0";
        }
        var x = new BigDecimal(d).round(new MathContext(digits, RoundingMode.HALF_EVEN));
        int exponent = x.precision() - x.scale() - 1;
        if (exponent >= -4 && exponent < digits) {
            return x.stripTrailingZeros().toPlainString();
        }
        String s = scientific(d, digits - 1);
        int e = s.indexOf('e');
        String mantissa = s.substring(0, e);
        if (mantissa.indexOf('.') >= 0) {
            mantissa = mantissa.replaceFirst("\\.?0+$", "");
        }
        String shorter = mantissa + s.substring(e);
        return type == 'G' ? shorter.toUpperCase(Locale.ROOT) : shorter;
    }

    private String pad(String prefix, String body, char own) {
        int gap = width - Text.length(prefix) - Text.length(body);
        if (gap <= 0) {
            return prefix + body;
        }
        String filler = Text.repeat(String.valueOf(fill), gap);
        return switch (align == '\0' ? own : align) {
            case '<' -> prefix + body + filler;
            case '^' -> filler.substring(0, gap / 2) + prefix + body + filler.substring(gap / 2);
            case '=' -> prefix + filler + body;
            default -> filler + prefix + body;
        };
    }
}
