package dev.panamoe.template;

import java.time.LocalDateTime;
import java.util.List;

/// The functions every template can call.
final class Globals {
    private Globals() {}

    static void define(Scope scope, LocalDateTime now) {
        scope.set("raise_exception", (Function) a -> {
            throw new TemplateException("TemplateError", Repr.str(a.get(0, "message")));
        });
        scope.set("strftime_now", (Function) a -> Strftime.format(a.text(0, "format"), now));
        scope.set("namespace", (Function) Globals::namespace);
        scope.set("dict", (Function) Globals::dict);
        scope.set("range", (Function) a -> range(a.positional()));
        scope.set("joiner", (Function) Globals::joiner);
    }

    private static Dict dict(Arguments a) {
        var dict = new Dict();
        for (Object source : a.positional()) {
            if (Types.defined(source) instanceof Dict d) {
                dict.putAll(d);
                continue;
            }
            for (Object pair : Sequences.list(source)) {
                var two = Sequences.list(pair);
                if (two.size() != 2) {
                    throw TemplateException.valueError("dictionary update sequence elements need length 2");
                }
                Budget.elements(2);
                dict.put(two.get(0), two.get(1));
            }
        }
        a.named().forEach(dict::put);
        return dict;
    }

    private static Namespace namespace(Arguments a) {
        var namespace = new Namespace();
        dict(a).entries().forEach(e -> namespace.attributes().put(Repr.str(e.key()), e.value()));
        return namespace;
    }

    private static Range range(List<Object> a) {
        return switch (a.size()) {
            case 1 -> new Range(0, Numbers.toInt(a.get(0)), 1);
            case 2 -> new Range(Numbers.toInt(a.get(0)), Numbers.toInt(a.get(1)), 1);
            case 3 -> new Range(Numbers.toInt(a.get(0)), Numbers.toInt(a.get(1)), Numbers.toInt(a.get(2)));
            default -> throw TemplateException.typeError("range expected 1 to 3 arguments, got " + a.size());
        };
    }

    /// Gives nothing at its first call and the separator from then on.
    private static Function joiner(Arguments a) {
        Object separator = a.get(0, "sep", ", ");
        boolean[] used = new boolean[1];
        return call -> {
            Object text = used[0] ? separator : "";
            used[0] = true;
            return text;
        };
    }
}
