package dev.panamoe.template;

import java.util.LinkedHashMap;
import java.util.Map;

/// `namespace(...)`: the only object whose attributes a template may set. Equal to itself only.
final class Namespace {
    private final Map<String, Object> attributes = new LinkedHashMap<>();

    Map<String, Object> attributes() {
        return attributes;
    }
}
