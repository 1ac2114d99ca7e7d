package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;

/// Iterating, measuring, indexing and slicing.
final class Sequences {
    private Sequences() {}

    static boolean isIterable(Object o) {
        return Types.isText(o)
                || o instanceof List
                || o instanceof Tuple
                || o instanceof Range
                || o instanceof Dict
                || o instanceof DictView
                || o instanceof Generator
                || o instanceof Undefined;
    }

    /// The elements that Python iterates over. A list gives itself: not to be changed.
    static List<Object> list(Object o) {
        return switch (o) {
            case List<?> l -> cast(l);
            case Tuple t -> t.items();
            case Range r -> r.items();
            case Generator g -> g.take();
            case Dict d -> d.keys();
            case DictView v -> v.items();
            case Undefined u -> List.of();
            case String s -> Text.characters(s);
            case Markup m -> Text.characters(m.text());
            default -> throw TemplateException.typeError("'" + Types.name(o) + "' object is not iterable");
        };
    }

    // Every list among the values holds values; Java cannot say so of a matched pattern.
    @SuppressWarnings("unchecked")
    private static List<Object> cast(List<?> list) {
        return (List<Object>) list;
    }

    static List<Object> copy(Object o) {
        var list = list(o);
        Budget.elements(list.size());
        return new ArrayList<>(list);
    }

    static long length(Object o) {
        return switch (o) {
            case String s -> Text.length(s);
            case Markup m -> Text.length(m.text());
            case Dict d -> d.size();
            case DictView v -> v.items().size();
            case List<?> l -> l.size();
            case Tuple t -> t.items().size();
            case Range r -> r.size();
            case Undefined u -> 0;
            case LoopContext l -> l.size();
            default -> throw TemplateException.typeError("object of type '" + Types.name(o) + "' has no len()");
        };
    }

    /// `o[key]`: an item first, then an attribute.
    static Object item(Object o, Object key) {
        Types.defined(o);
        if (o instanceof Dict d) {
            if (!(key instanceof List) && !(key instanceof Dict)) {
                Object value = d.get(key);
                if (value != null) {
                    return value;
                }
            }
        } else if (Types.isInt(key)) {
            return at(o, Numbers.toInt(key));
        }
        return Types.isText(key) ? Attributes.get(o, Repr.str(key)) : Undefined.element(o, key);
    }

    private static Object at(Object o, int index) {
        if (Types.isText(o)) {
            String s = Repr.str(o);
            int n = Text.length(s);
            int i = index < 0 ? index + n : index;
            return i < 0 || i >= n ? Undefined.element(o, (long) index) : Text.slice(s, i, i + 1);
        }
        if (o instanceof List || o instanceof Tuple || o instanceof Range) {
            var list = list(o);
            int i = index < 0 ? index + list.size() : index;
            if (i >= 0 && i < list.size()) {
                return list.get(i);
            }
        }
        return Undefined.element(o, (long) index);
    }

    /// `o[start:stop:step]`; `None` where a part is left out.
    static Object slice(Object o, Object startArgument, Object stopArgument, Object stepArgument) {
        Types.defined(o);
        boolean text = Types.isText(o);
        if (!text && !(o instanceof List) && !(o instanceof Tuple) && !(o instanceof Range)) {
            return Undefined.element(o, "a slice");
        }
        int step = stepArgument instanceof None ? 1 : Numbers.toInt(stepArgument);
        if (step == 0) {
            throw TemplateException.valueError("slice step cannot be zero");
        }
        int n = (int) length(o);
        int low = step > 0 ? 0 : -1;
        int high = step > 0 ? n : n - 1;
        int start = bound(startArgument, n, low, high, step > 0 ? low : high);
        int stop = bound(stopArgument, n, low, high, step > 0 ? high : low);
        if (text && step == 1) {
            return Markup.like(o, Text.slice(Repr.str(o), start, stop));
        }
        var source = list(o);
        var picked = new ArrayList<Object>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            picked.add(source.get((int) i));
        }
        Budget.elements(picked.size());
        if (text) {
            var joined = new StringBuilder();
            picked.forEach(joined::append);
            return Markup.like(o, joined.toString());
        }
        return o instanceof Tuple ? new Tuple(picked) : picked;
    }

    private static int bound(Object argument, int n, int low, int high, int otherwise) {
        if (argument instanceof None) {
            return otherwise;
        }
        long i = Numbers.toInt(argument);
        return Math.clamp(i < 0 ? i + n : i, low, high);
    }
}
