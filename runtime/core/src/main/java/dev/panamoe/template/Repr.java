package dev.panamoe.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/// Values as text: Python's `str` and `repr`.
final class Repr {
    private Repr() {}

    static String str(Object o) {
        return switch (o) {
            case String s -> s;
            case Markup m -> m.text();
            case Undefined u -> "";
            default -> of(o);
        };
    }

    static String of(Object o) {
        var b = new StringBuilder();
        append(o, b);
        Budget.text(b.length());
        return b.toString();
    }

    private static void append(Object o, StringBuilder b) {
        Budget.enter();
        Budget.growing(b.length());
        switch (o) {
            case None n -> b.append("None");
            case Boolean x -> b.append(x ? "True" : "False");
            case Long l -> b.append((long) l);
            case BigInteger i -> b.append(i);
            case Double d -> b.append(of((double) d));
            case String s -> quote(s, b);
            case Markup m -> {
                b.append("Markup(");
                quote(m.text(), b);
                b.append(')');
            }
            case List<?> l -> items(l, b, "[", "]");
            case Tuple t -> items(t.items(), b, "(", t.items().size() == 1 ? ",)" : ")");
            case Range r -> {
                b.append("range(").append(r.start()).append(", ").append(r.stop());
                b.append(r.step() == 1 ? ")" : ", " + r.step() + ")");
            }
            case Dict d -> dict(d, b);
            case DictView v -> items(v.items(), b.append(v.type()), "([", "])");
            case Undefined u -> b.append("Undefined");
            case Namespace n -> namespace(n, b);
            case Macro m -> b.append("<Macro '").append(m.name()).append("'>");
            case LoopContext l -> b.append("<LoopContext ").append(l.position()).append('>');
            default -> b.append('<').append(Types.name(o)).append(" object>");
        }
        Budget.leave();
    }

    private static void items(Collection<?> items, StringBuilder b, String open, String close) {
        b.append(open);
        String separator = "";
        for (Object item : items) {
            append(item, b.append(separator));
            separator = ", ";
        }
        b.append(close);
    }

    private static void dict(Dict d, StringBuilder b) {
        String separator = "{";
        for (var entry : d.entries()) {
            append(entry.key(), b.append(separator));
            append(entry.value(), b.append(": "));
            separator = ", ";
        }
        b.append(d.size() == 0 ? "{}" : "}");
    }

    private static void namespace(Namespace n, StringBuilder b) {
        var d = new Dict();
        for (Map.Entry<String, Object> e : n.attributes().entrySet()) {
            d.put(e.getKey(), e.getValue());
        }
        b.append("<Namespace ");
        dict(d, b);
        b.append('>');
    }

    /// In single quotes unless only those occur inside.
    private static void quote(String s, StringBuilder b) {
        Budget.growing((long) b.length() + s.length());
        Budget.steps(s.length() / 8);
        char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
        b.append(quote);
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            switch (c) {
                case '\n' -> b.append("\\n");
                case '\t' -> b.append("\\t");
                case '\r' -> b.append("\\r");
                case '\\' -> b.append("\\\\");
                default -> {
                    if (c == quote) {
                        b.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        b.appendCodePoint(c);
                    } else {
                        escape(c, b);
                    }
                }
            }
        }
        b.append(quote);
    }

    private static void escape(int c, StringBuilder b) {
        String hex = Integer.toHexString(c);
        int width = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
        b.append(c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
        b.append("0".repeat(width - hex.length())).append(hex);
    }

    private static boolean isPrintable(int c) {
        if (c == ' ') {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }

    /// The shortest decimal that reads back as `d`, with an exponent below 1e-4 and from 1e16.
    static String of(double d) {
        if (Double.isNaN(d)) {
            return "nan";
        }
        if (Double.isInfinite(d)) {
            return d > 0 ? "inf" : "-inf";
        }
        if (d == 0) {
            return 1 / d < 0 ? "-0.0" : "0.0";
        }
        var x = shortest(d);
        int exponent = x.precision() - x.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String s = x.toPlainString();
            return s.indexOf('.') < 0 ? s + ".0" : s;
        }
        String digits = x.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        int size = Math.abs(exponent);
        return (d < 0 ? "-" : "") + mantissa + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
    }

    private static BigDecimal shortest(double d) {
        var x = new BigDecimal(Double.toString(d)).stripTrailingZeros();
        if (x.precision() == 2) {
            // Java prefers two digits to one where both read back: 4.9E-324 for 5e-324.
            var one = x.round(new MathContext(1, RoundingMode.HALF_EVEN)).stripTrailingZeros();
            return one.doubleValue() == d ? one : x;
        }
        return x;
    }
}
