package dev.panamoe.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Python's `json.dumps`, as the filter `tojson` of Hugging Face transformers calls it: no HTML escapes.
final class Json {
    /// @param ascii whether characters beyond ASCII are written as escapes of four hexadecimal digits
    /// @param indent the text of one level, or null for one line
    record Style(boolean ascii, @Nullable String indent, String itemSeparator, String keySeparator, boolean sortKeys) {}

    private final Style style;
    private final StringBuilder out = new StringBuilder();
    private int level;

    private Json(Style style) {
        this.style = style;
    }

    static String write(Object o, Style style) {
        var json = new Json(style);
        json.value(o);
        Budget.text(json.out.length());
        return json.out.toString();
    }

    private void value(Object o) {
        Budget.enter();
        Budget.growing(out.length());
        switch (o) {
            case None n -> out.append("null");
            case Boolean x -> out.append((boolean) x);
            case Long l -> out.append((long) l);
            case BigInteger i -> out.append(i);
            case Double d -> out.append(number(d));
            case String s -> string(s);
            case Markup m -> string(m.text());
            case Tuple t -> array(t.items());
            case List<?> l -> array(l);
            case Dict d -> object(d);
            default ->
                throw TemplateException.typeError("Object of type " + Types.name(o) + " is not JSON serializable");
        }
        Budget.leave();
    }

    private static String number(double d) {
        return Double.isNaN(d) ? "NaN" : Double.isInfinite(d) ? (d > 0 ? "Infinity" : "-Infinity") : Repr.of(d);
    }

    private void array(List<?> items) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append('[');
        level++;
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            newLine();
            value(item);
            separator = style.itemSeparator;
        }
        level--;
        newLine();
        out.append(']');
    }

    private void object(Dict d) {
        if (d.size() == 0) {
            out.append("{}");
            return;
        }
        var entries = new ArrayList<>(d.entries());
        if (style.sortKeys) {
            entries.sort((x, y) -> Operators.compare(x.key(), y.key()));
        }
        out.append('{');
        level++;
        String separator = "";
        for (var entry : entries) {
            out.append(separator);
            newLine();
            string(key(entry.key()));
            out.append(style.keySeparator);
            value(entry.value());
            separator = style.itemSeparator;
        }
        level--;
        newLine();
        out.append('}');
    }

    private void newLine() {
        if (style.indent != null) {
            Budget.growing(out.length() + (long) style.indent.length() * level);
            Budget.scan((long) style.indent.length() * level);
            out.append('\n').append(style.indent.repeat(level));
        }
    }

    private static String key(Object key) {
        return switch (key) {
            case String s -> s;
            case Markup m -> m.text();
            case None n -> "null";
            case Boolean b -> b.toString();
            case Long l -> l.toString();
            case BigInteger i -> i.toString();
            case Double d -> number(d);
            default ->
                throw TemplateException.typeError("keys must be str, int, float, bool or None, not " + Types.name(key));
        };
    }

    private void string(String s) {
        Budget.growing((long) out.length() + s.length());
        Budget.steps(s.length() / 8);
        out.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || (style.ascii && c > 0x7e)) {
                        String hex = Integer.toHexString(c);
                        out.append("\\u").append("0".repeat(4 - hex.length())).append(hex);
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
