package dev.panamoe.template;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// A macro with the scope it was defined in: it sees the variables there as they are when it is called.
final class Macro implements Function {
    private final Statement.MacroDefinition definition;
    private final Scope scope;

    Macro(Statement.MacroDefinition definition, Scope scope) {
        this.definition = definition;
        this.scope = scope;
    }

    String name() {
        return definition.name();
    }

    @Override
    public Object call(Arguments arguments) {
        var inner = new Scope(scope);
        var named = new LinkedHashMap<>(arguments.named());
        var signature = definition.signature();
        int n = signature.names().size();
        for (int i = 0; i < n; i++) {
            String parameter = signature.names().get(i);
            Object given = named.remove(parameter);
            if (i < arguments.positional().size()) {
                if (given != null) {
                    throw error("got multiple values for argument '" + parameter + "'");
                }
                given = arguments.positional().get(i);
            }
            if (given == null) {
                var otherwise = signature.defaults().get(parameter);
                given = otherwise == null
                        ? new Undefined("parameter '" + parameter + "' was not provided")
                        : Evaluator.eval(otherwise, inner);
            }
            inner.set(parameter, given);
        }
        specials(arguments.drop(n), named, inner);
        return Interpreter.capture(definition.body(), inner);
    }

    /// What is left over goes to `varargs`, `kwargs` and `caller` where the body names them.
    private void specials(Arguments left, SequencedMap<String, Object> named, Scope inner) {
        var signature = definition.signature();
        if (signature.specials().contains("caller") && !signature.names().contains("caller")) {
            Object caller = named.remove("caller");
            inner.set("caller", caller == null ? new Undefined("No caller defined") : caller);
        }
        if (signature.specials().contains("kwargs")) {
            var kwargs = new Dict();
            named.forEach(kwargs::put);
            inner.set("kwargs", kwargs);
        } else if (!named.isEmpty()) {
            throw error("takes no keyword argument '" + named.firstEntry().getKey() + "'");
        }
        if (signature.specials().contains("varargs")) {
            inner.set("varargs", new Tuple(left.positional()));
        } else if (!left.positional().isEmpty()) {
            throw error("takes not more than " + signature.names().size() + " argument(s)");
        }
    }

    private TemplateException error(String what) {
        return TemplateException.typeError("macro '" + name() + "' " + what);
    }
}
