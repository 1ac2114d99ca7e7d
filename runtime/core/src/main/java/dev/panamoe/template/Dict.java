package dev.panamoe.template;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Python's `dict`: insertion order, and keys that are equal in Python (`1`, `1.0`, `True`) are one key, the first.
final class Dict {
    private static final int MAX_TUPLE_KEY = 1_000;

    record Entry(Object key, Object value) {}

    private final Map<Object, Entry> entries = new LinkedHashMap<>();

    int size() {
        return entries.size();
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    boolean has(Object key) {
        return entries.containsKey(hashable(key));
    }

    @Nullable
    Object get(Object key) {
        var entry = entries.get(hashable(key));
        return entry == null ? null : entry.value;
    }

    void put(Object key, Object value) {
        entries.merge(hashable(key), new Entry(key, value), (old, now) -> new Entry(old.key, now.value));
    }

    void putAll(Dict other) {
        Budget.elements(other.size());
        other.entries().forEach(e -> put(e.key, e.value));
    }

    List<Object> keys() {
        Budget.elements(size());
        var list = new ArrayList<Object>(size());
        entries().forEach(e -> list.add(e.key));
        return list;
    }

    List<Object> values() {
        Budget.elements(size());
        var list = new ArrayList<Object>(size());
        entries().forEach(e -> list.add(e.value));
        return list;
    }

    List<Object> items() {
        Budget.elements(3L * size());
        var list = new ArrayList<Object>(size());
        entries().forEach(e -> list.add(Tuple.of(e.key, e.value)));
        return list;
    }

    /// A key that equals another in Java exactly when they are equal in Python. Texts are scanned for their hash.
    static Object hashable(Object key) {
        return hashable(key, new int[1]);
    }

    private static Object hashable(Object key, int[] size) {
        return switch (key) {
            case String s -> {
                Budget.scan(s.length());
                yield s;
            }
            case Markup m -> m.text();
            case Boolean b -> b ? 1L : 0L;
            case Double d when d == Math.rint(d) && !Double.isInfinite(d) -> Numbers.ofIntegral(d);
            case Tuple t -> {
                // A tuple doubled by sharing has 2^n leaves: its hash would never be done.
                size[0] += 1 + t.items().size();
                if (size[0] > MAX_TUPLE_KEY) {
                    throw TemplateException.limit("a tuple used as a key is too large");
                }
                var items = new ArrayList<Object>();
                for (Object item : t.items()) {
                    items.add(hashable(item, size));
                }
                yield new Tuple(items);
            }
            case Undefined u -> Undefined.class;
            case List<?> l -> throw TemplateException.typeError("unhashable type: 'list'");
            case Dict d -> throw TemplateException.typeError("unhashable type: 'dict'");
            default -> key;
        };
    }
}
