package dev.panamoe.template;

import java.util.List;

/// What `map`, `select` and their like give: it can be iterated once, has no length and is not JSON.
final class Generator {
    private List<Object> items;

    Generator(List<Object> items) {
        this.items = items;
    }

    /// The elements; the next call gives none.
    List<Object> take() {
        var all = items;
        items = List.of();
        return all;
    }
}
