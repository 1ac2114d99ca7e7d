package dev.panamoe.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Variables of the template, a loop's turn, a macro's call or a block; names are looked up outwards when used.
final class Scope {
    private final @Nullable Scope outer;
    private final Map<String, Object> variables = new HashMap<>();

    Scope(@Nullable Scope outer) {
        this.outer = outer;
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }

    Object get(String name) {
        for (Scope s = this; s != null; s = s.outer) {
            Object value = s.variables.get(name);
            if (value != null) {
                return value;
            }
            Budget.step();
        }
        return new Undefined("'" + name + "' is undefined");
    }
}
