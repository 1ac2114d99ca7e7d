package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// `o.name`: an attribute or method first, then an item. What could change a value or leave the sandbox is hidden.
final class Attributes {
    private static final Set<String> LIST_MUTATORS =
            Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");
    private static final Set<String> DICT_MUTATORS = Set.of("clear", "pop", "popitem", "setdefault", "update");

    private Attributes() {}

    static Object get(Object o, String name) {
        Types.defined(o);
        if (name.length() > 4 && name.startsWith("__") && name.endsWith("__")) {
            return Undefined.unsafe(o, name);
        }
        Object found = switch (o) {
            case LoopContext l -> l.get(name);
            case Namespace n -> n.attributes().get(name);
            case Macro m -> name.equals("name") ? m.name() : null;
            case String s -> StringMethods.find(s, s, name);
            case Markup m -> StringMethods.find(m, m.text(), name);
            case Dict d -> dict(d, name);
            case List<?> l -> list(o, name);
            case Tuple t -> list(o, name);
            default -> null;
        };
        return found == null ? Undefined.attribute(o, name) : found;
    }

    private static @Nullable Object list(Object o, String name) {
        if (o instanceof List && LIST_MUTATORS.contains(name)) {
            return Undefined.unsafe(o, name);
        }
        return switch (name) {
            case "count" -> (Function) a -> count(o, a.get(0));
            case "index" -> (Function) a -> index(o, a.get(0));
            case "copy" -> o instanceof Tuple ? null : (Function) a -> Sequences.copy(o);
            default -> null;
        };
    }

    private static Object count(Object o, Object wanted) {
        long n = 0;
        for (Object x : Sequences.list(o)) {
            Budget.step();
            n += Operators.equal(x, wanted) ? 1 : 0;
        }
        return n;
    }

    private static Object index(Object o, Object wanted) {
        var list = Sequences.list(o);
        for (int i = 0; i < list.size(); i++) {
            Budget.step();
            if (Operators.equal(list.get(i), wanted)) {
                return (long) i;
            }
        }
        throw TemplateException.valueError(Repr.of(wanted) + " is not in list");
    }

    private static @Nullable Object dict(Dict d, String name) {
        if (DICT_MUTATORS.contains(name)) {
            return Undefined.unsafe(d, name);
        }
        return switch (name) {
            case "get" ->
                (Function) a -> {
                    Object value = d.get(a.get(0, "key"));
                    return value == null ? a.get(1, "default", None.NONE) : value;
                };
            case "items" -> (Function) a -> new DictView("dict_items", d.items());
            case "keys" -> (Function) a -> new DictView("dict_keys", d.keys());
            case "values" -> (Function) a -> new DictView("dict_values", d.values());
            case "copy" ->
                (Function) a -> {
                    var copy = new Dict();
                    copy.putAll(d);
                    return copy;
                };
            default -> d.get(name);
        };
    }

    /// The attribute `a.b.0` of `o`, as filters name it; an int is an index.
    static Object path(Object o, Object path) {
        if (Types.isInt(path)) {
            return Sequences.item(o, path);
        }
        Object at = o;
        for (Object part : Text.split(Repr.str(path), ".", -1)) {
            String name = Repr.str(part);
            boolean index =
                    !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            at = Sequences.item(Types.defined(at), index ? (Object) Long.parseLong(name) : name);
        }
        return at;
    }

    /// The values of several attributes separated by commas, to sort by.
    static Object paths(Object o, Object path) {
        if (!Types.isText(path) || Repr.str(path).indexOf(',') < 0) {
            return path(o, path);
        }
        var values = new ArrayList<Object>();
        for (Object one : Text.split(Repr.str(path), ",", -1)) {
            values.add(path(o, one));
        }
        return values;
    }
}
