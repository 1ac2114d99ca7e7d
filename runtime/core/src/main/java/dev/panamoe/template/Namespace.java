package dev.panamoe.template;

import java.util.LinkedHashMap;
import java.util.Map;

/// `namespace(...)`: the only object whose attributes a template may set.
record Namespace(Map<String, Object> attributes) {
    Namespace() {
        this(new LinkedHashMap<>());
    }
}
