package dev.panamoe.template;

import java.math.BigInteger;
import java.util.List;

/// Which Java objects stand for which Python types:
///
/// | Python | Java |
/// |---|---|
/// | None, bool, int, float | [None], [Boolean], [Long] or [BigInteger] (beyond 64 bits), [Double] |
/// | str, Markup | [String] (length and indexes are by code point), [Markup] |
/// | list, tuple, range | [List], [Tuple], [Range] |
/// | dict and its views | [Dict], [DictView] |
/// | generator, namespace, callables | [Generator], [Namespace], [Function] |
/// | Jinja2's Undefined | [Undefined] |
final class Types {
    private Types() {}

    static String name(Object o) {
        return switch (o) {
            case None n -> "NoneType";
            case Boolean b -> "bool";
            case Long l -> "int";
            case BigInteger i -> "int";
            case Double d -> "float";
            case String s -> "str";
            case Markup m -> "Markup";
            case List<?> l -> "list";
            case Tuple t -> "tuple";
            case Range r -> "range";
            case Dict d -> "dict";
            case DictView v -> v.type();
            case Undefined u -> "Undefined";
            case Generator g -> "generator";
            case Namespace n -> "Namespace";
            case Macro m -> "Macro";
            case LoopContext l -> "LoopContext";
            case Function f -> "function";
            default -> throw new IllegalStateException("not a template value: " + o.getClass());
        };
    }

    static Object defined(Object o) {
        if (o instanceof Undefined u) {
            throw u.error();
        }
        return o;
    }

    static boolean isText(Object o) {
        return o instanceof String || o instanceof Markup;
    }

    static boolean isInt(Object o) {
        return o instanceof Long || o instanceof Boolean || o instanceof BigInteger;
    }

    static boolean isNumber(Object o) {
        return isInt(o) || o instanceof Double;
    }

    static boolean truth(Object o) {
        return switch (o) {
            case None n -> false;
            case Boolean b -> b;
            case Long l -> l != 0;
            case BigInteger i -> i.signum() != 0;
            case Double d -> d != 0;
            case String s -> !s.isEmpty();
            case Markup m -> !m.text().isEmpty();
            case List<?> l -> !l.isEmpty();
            case Tuple t -> !t.items().isEmpty();
            case Range r -> r.size() > 0;
            case Dict d -> d.size() > 0;
            case DictView v -> !v.items().isEmpty();
            case Undefined u -> false;
            default -> true;
        };
    }
}
