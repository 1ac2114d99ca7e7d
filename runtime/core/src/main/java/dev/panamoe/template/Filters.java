package dev.panamoe.template;

import java.util.HashMap;
import java.util.Map;

/// The filters of Jinja2 by name, and Hugging Face's `tojson`.
final class Filters {
    @FunctionalInterface
    interface Filter {
        Object apply(Object value, Arguments arguments);
    }

    private static final Map<String, Filter> ALL = all();

    private Filters() {}

    private static Map<String, Filter> all() {
        var all = new HashMap<String, Filter>();
        TextFilters.addTo(all);
        NumberFilters.addTo(all);
        SequenceFilters.addTo(all);
        SelectionFilters.addTo(all);
        return Map.copyOf(all);
    }

    static boolean has(String name) {
        return ALL.containsKey(name);
    }

    static Object apply(String name, Object value, Arguments arguments) {
        var filter = ALL.get(name);
        if (filter == null) {
            throw TemplateException.runtimeError("No filter named '" + name + "' found.");
        }
        Budget.enter();
        Object result = filter.apply(value, arguments);
        Budget.leave();
        return result;
    }
}
