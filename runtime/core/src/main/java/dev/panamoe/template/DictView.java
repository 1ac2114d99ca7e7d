package dev.panamoe.template;

import java.util.List;

/// What `keys()`, `values()` and `items()` of a dict give: it has a length and can be iterated, but has no indexes.
/// Equal to itself only.
final class DictView {
    private final String type;
    private final List<Object> items;

    /// @param type the name of the Python type, such as `dict_items`
    DictView(String type, List<Object> items) {
        this.type = type;
        this.items = items;
    }

    String type() {
        return type;
    }

    List<Object> items() {
        return items;
    }
}
