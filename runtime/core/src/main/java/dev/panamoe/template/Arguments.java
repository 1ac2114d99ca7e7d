package dev.panamoe.template;

import java.util.List;
import java.util.Map;

/// The arguments of one call, by position or name.
record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments EMPTY = new Arguments(List.of(), Map.of());

    boolean has(int i, String name) {
        return i < positional.size() || named.containsKey(name);
    }

    /// The required argument at position `i`.
    Object get(int i) {
        if (i >= positional.size()) {
            throw TemplateException.typeError("missing required argument " + (i + 1));
        }
        return positional.get(i);
    }

    /// The required argument at position `i` or named `name`.
    Object get(int i, String name) {
        if (i < positional.size()) {
            return positional.get(i);
        }
        Object value = named.get(name);
        if (value == null) {
            throw TemplateException.typeError("missing required argument '" + name + "'");
        }
        return value;
    }

    Object get(int i, String name, Object otherwise) {
        if (i < positional.size()) {
            return positional.get(i);
        }
        return named.getOrDefault(name, otherwise);
    }

    /// Whether the argument is given and not `None`.
    boolean present(int i, String name) {
        return !(get(i, name, None.NONE) instanceof None);
    }

    String text(int i, String name) {
        return text(get(i, name));
    }

    String text(int i, String name, String otherwise) {
        return text(get(i, name, otherwise));
    }

    int integer(int i, String name, int otherwise) {
        return Numbers.toInt(get(i, name, (long) otherwise));
    }

    boolean bool(int i, String name, boolean otherwise) {
        return Types.truth(get(i, name, otherwise));
    }

    /// Without the first `n` positional arguments.
    Arguments drop(int n) {
        return new Arguments(positional.subList(Math.min(n, positional.size()), positional.size()), named);
    }

    private static String text(Object o) {
        if (!Types.isText(Types.defined(o))) {
            throw TemplateException.typeError("expected str, got " + Types.name(o));
        }
        return Repr.str(o);
    }
}
