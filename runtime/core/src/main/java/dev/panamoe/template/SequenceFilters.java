package dev.panamoe.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// Filters that measure, order and group sequences and dicts.
final class SequenceFilters {
    private SequenceFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        all.put("length", (v, a) -> Sequences.length(v));
        all.put("count", (v, a) -> Sequences.length(v));
        all.put("list", (v, a) -> Sequences.copy(v));
        all.put("first", (v, a) -> {
            var list = Sequences.list(v);
            return list.isEmpty() ? new Undefined("No first item, sequence was empty.") : list.getFirst();
        });
        all.put("last", (v, a) -> {
            var list = Sequences.list(v);
            return list.isEmpty() ? new Undefined("No last item, sequence was empty.") : list.getLast();
        });
        all.put(
                "reverse",
                (v, a) -> Types.isText(v)
                        ? Text.reverse(Repr.str(v))
                        : new Generator(Sequences.copy(v).reversed()));
        all.put(
                "items",
                (v, a) -> new Generator(
                        v instanceof Undefined ? List.of() : mapping(v).items()));
        all.put("dictsort", SequenceFilters::sortDict);
        all.put("sort", SequenceFilters::sort);
        all.put("unique", SequenceFilters::unique);
        all.put("min", (v, a) -> extreme(v, a, 1));
        all.put("max", (v, a) -> extreme(v, a, -1));
        all.put("sum", SequenceFilters::sum);
        all.put("groupby", SequenceFilters::group);
        all.put("batch", SequenceFilters::batch);
    }

    private static Dict mapping(Object v) {
        if (Types.defined(v) instanceof Dict d) {
            return d;
        }
        throw TemplateException.typeError("Can only get item pairs from a mapping.");
    }

    /// What a sort compares: the attribute if one is asked for, and texts without regard to case unless asked.
    private static Object key(Object item, Object attribute, boolean caseSensitive) {
        Object key = attribute instanceof None ? item : Attributes.paths(item, attribute);
        return !caseSensitive && Types.isText(key) ? Text.lower(Repr.str(key)) : key;
    }

    private record Keyed(Object key, Object item) {}

    private static List<Object> sorted(List<Keyed> keyed, boolean reverse) {
        Comparator<Keyed> order = (x, y) -> Operators.compare(x.key, y.key);
        keyed.sort(reverse ? (x, y) -> order.compare(y, x) : order);
        Budget.elements(keyed.size());
        var list = new ArrayList<Object>(keyed.size());
        keyed.forEach(k -> list.add(k.item));
        return list;
    }

    private static Object sortDict(Object v, Arguments a) {
        boolean caseSensitive = a.bool(0, "case_sensitive", false);
        boolean byKey = a.text(1, "by", "key").equals("key");
        var keyed = new ArrayList<Keyed>();
        for (var e : mapping(v).entries()) {
            Object key = key(byKey ? e.key() : e.value(), None.NONE, caseSensitive);
            keyed.add(new Keyed(key, Tuple.of(e.key(), e.value())));
        }
        return sorted(keyed, a.bool(2, "reverse", false));
    }

    private static Object sort(Object v, Arguments a) {
        boolean caseSensitive = a.bool(1, "case_sensitive", false);
        Object attribute = a.get(2, "attribute", None.NONE);
        var keyed = new ArrayList<Keyed>();
        for (Object item : Sequences.list(v)) {
            Budget.elements(1);
            keyed.add(new Keyed(key(item, attribute, caseSensitive), item));
        }
        return sorted(keyed, a.bool(0, "reverse", false));
    }

    private static Object unique(Object v, Arguments a) {
        boolean caseSensitive = a.bool(0, "case_sensitive", false);
        Object attribute = a.get(1, "attribute", None.NONE);
        var seen = new HashSet<Object>();
        var list = new ArrayList<Object>();
        for (Object item : Sequences.list(v)) {
            Budget.elements(2);
            if (seen.add(Dict.hashable(key(item, attribute, caseSensitive)))) {
                list.add(item);
            }
        }
        return new Generator(list);
    }

    private static Object extreme(Object v, Arguments a, int sign) {
        boolean caseSensitive = a.bool(0, "case_sensitive", false);
        Object attribute = a.get(1, "attribute", None.NONE);
        var items = Sequences.list(v);
        if (items.isEmpty()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.getFirst();
        Object bestKey = key(best, attribute, caseSensitive);
        for (Object item : items.subList(1, items.size())) {
            Object key = key(item, attribute, caseSensitive);
            if (sign * Operators.compare(key, bestKey) < 0) {
                best = item;
                bestKey = key;
            }
        }
        return best;
    }

    private static Object sum(Object v, Arguments a) {
        Object attribute = a.get(0, "attribute", None.NONE);
        Object sum = a.get(1, "start", 0L);
        for (Object item : Sequences.list(v)) {
            Budget.step();
            sum = Operators.arithmetic("+", sum, attribute instanceof None ? item : Attributes.path(item, attribute));
        }
        return sum;
    }

    /// Pairs (value, items), ordered by value; the value is the first of its group as it stands.
    private static Object group(Object v, Arguments a) {
        Object attribute = a.get(0, "attribute");
        boolean caseSensitive = a.bool(2, "case_sensitive", false);
        var keyed = new ArrayList<Keyed>();
        for (Object item : Sequences.list(v)) {
            Budget.elements(2);
            Object key = Attributes.path(item, attribute);
            keyed.add(new Keyed(key instanceof Undefined ? a.get(1, "default", key) : key, item));
        }
        keyed.sort((x, y) ->
                Operators.compare(key(x.key, None.NONE, caseSensitive), key(y.key, None.NONE, caseSensitive)));
        var groups = new ArrayList<Object>();
        var members = new ArrayList<Object>();
        for (int i = 0; i < keyed.size(); i++) {
            if (i > 0) {
                Object before = key(keyed.get(i - 1).key, None.NONE, caseSensitive);
                if (!Operators.equal(before, key(keyed.get(i).key, None.NONE, caseSensitive))) {
                    members = new ArrayList<>();
                }
            }
            if (members.isEmpty()) {
                groups.add(Tuple.of(keyed.get(i).key, members));
            }
            members.add(keyed.get(i).item);
        }
        return groups;
    }

    private static Object batch(Object v, Arguments a) {
        int n = Math.max(1, Numbers.toInt(a.get(0, "linecount")));
        boolean fills = a.present(1, "fill_with");
        var source = Sequences.list(v);
        var rows = new ArrayList<Object>();
        for (int i = 0; i < source.size(); i += n) {
            int end = (int) Math.min(source.size(), (long) i + n);
            Budget.elements(1L + (fills ? n : end - i));
            var row = new ArrayList<>(source.subList(i, end));
            while (fills && row.size() < n) {
                row.add(a.get(1, "fill_with"));
            }
            rows.add(row);
            if (end == source.size()) {
                break;
            }
        }
        return new Generator(rows);
    }
}
