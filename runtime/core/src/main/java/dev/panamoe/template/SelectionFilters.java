package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Filters that pick or change each element, and those for missing values.
final class SelectionFilters {
    private SelectionFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        all.put("default", SelectionFilters::otherwise);
        all.put("d", SelectionFilters::otherwise);
        all.put("attr", (v, a) -> Attributes.get(v, a.text(0, "name")));
        all.put("map", SelectionFilters::map);
        all.put("select", (v, a) -> pick(v, a, false, true));
        all.put("reject", (v, a) -> pick(v, a, false, false));
        all.put("selectattr", (v, a) -> pick(v, a, true, true));
        all.put("rejectattr", (v, a) -> pick(v, a, true, false));
    }

    private static Object otherwise(Object v, Arguments a) {
        boolean missing = v instanceof Undefined || (a.bool(1, "boolean", false) && !Types.truth(v));
        return missing ? a.get(0, "default_value", "") : v;
    }

    private static List<Object> elements(Object v) {
        return Types.truth(v) ? Sequences.list(v) : List.of();
    }

    private static Object map(Object v, Arguments a) {
        var list = new ArrayList<Object>();
        Object attribute = a.named().get("attribute");
        for (Object item : elements(v)) {
            Budget.elements(1);
            if (attribute == null) {
                list.add(Filters.apply(Repr.str(a.get(0)), item, a.drop(1)));
            } else {
                Object value = Attributes.path(item, attribute);
                list.add(value instanceof Undefined ? a.named().getOrDefault("default", value) : value);
            }
        }
        return new Generator(list);
    }

    /// @param byAttribute whether the first argument names what is tested of each element
    /// @param wanted the outcome that keeps an element
    private static Object pick(Object v, Arguments a, boolean byAttribute, boolean wanted) {
        var rest = byAttribute ? a.drop(1) : a;
        var list = new ArrayList<Object>();
        for (Object item : elements(v)) {
            Budget.elements(1);
            Object subject = byAttribute ? Attributes.path(item, a.get(0)) : item;
            boolean holds = rest.positional().isEmpty()
                    ? Types.truth(subject)
                    : Tests.test(Repr.str(rest.get(0)), subject, rest.drop(1));
            if (holds == wanted) {
                list.add(item);
            }
        }
        return new Generator(list);
    }
}
