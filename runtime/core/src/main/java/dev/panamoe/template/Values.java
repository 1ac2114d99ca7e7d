package dev.panamoe.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Brings what a caller passes (strings, numbers, booleans, collections, maps, null) into the types of [Types].
final class Values {
    private Values() {}

    /// @throws IllegalArgumentException for any other type
    static Object of(@Nullable Object o) {
        return switch (o) {
            case null -> None.NONE;
            case String s -> s;
            case Boolean b -> b;
            case Long l -> l;
            case Integer i -> (long) i;
            case Short i -> (long) i;
            case Byte i -> (long) i;
            case Double d -> d;
            case Float f -> (double) f;
            case BigInteger i -> Numbers.of(i);
            case BigDecimal d -> d.doubleValue();
            case Map<?, ?> m -> dict(m);
            case Collection<?> c -> list(c);
            default -> throw new IllegalArgumentException("a template cannot take a " + o.getClass());
        };
    }

    private static Object list(Collection<?> c) {
        Budget.enter();
        Budget.elements(c.size());
        var list = new ArrayList<Object>(c.size());
        for (Object item : c) {
            list.add(of(item));
        }
        Budget.leave();
        return list;
    }

    private static Object dict(Map<?, ?> m) {
        Budget.enter();
        Budget.elements(m.size());
        var dict = new Dict();
        m.forEach((key, value) -> dict.put(of(key), of(value)));
        Budget.leave();
        return dict;
    }
}
