package dev.panamoe.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;

/// Filters that make numbers.
final class NumberFilters {
    private static final int MAX_PRECISION = 400;

    private NumberFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        all.put("int", NumberFilters::toInt);
        all.put("float", NumberFilters::toFloat);
        all.put("abs", NumberFilters::abs);
        all.put("round", NumberFilters::round);
    }

    private static Object toInt(Object v, Arguments a) {
        Types.defined(v);
        Optional<Object> value = Optional.empty();
        if (Types.isInt(v)) {
            value = Optional.of(Numbers.of(Numbers.big(v)));
        } else if (v instanceof Double d) {
            value = truncated(d);
        } else if (Types.isText(v)) {
            String s = Text.strip(Repr.str(v), null, true, true);
            value = Numbers.parseInt(s, a.integer(1, "base", 10))
                    .or(() -> Numbers.parseReal(s).flatMap(NumberFilters::truncated));
        }
        return value.orElseGet(() -> a.get(0, "default", 0L));
    }

    private static Optional<Object> truncated(double d) {
        return Double.isNaN(d) || Double.isInfinite(d)
                ? Optional.empty()
                : Optional.of(Numbers.of(new BigDecimal(d).toBigInteger()));
    }

    private static Object toFloat(Object v, Arguments a) {
        if (Types.isNumber(Types.defined(v))) {
            return Numbers.real(v);
        }
        Object otherwise = a.get(0, "default", 0.0);
        if (!Types.isText(v)) {
            return otherwise;
        }
        var value = Numbers.parseReal(Text.strip(Repr.str(v), null, true, true));
        return value.isPresent() ? (Object) value.get() : otherwise;
    }

    private static Object abs(Object v, Arguments a) {
        if (!Types.isNumber(Types.defined(v))) {
            throw TemplateException.typeError("bad operand type for abs(): '" + Types.name(v) + "'");
        }
        return v instanceof Double d
                ? (Object) Math.abs(d)
                : Numbers.of(Numbers.big(v).abs());
    }

    private static Object round(Object v, Arguments a) {
        int precision = Math.clamp(a.integer(0, "precision", 0), -MAX_PRECISION, MAX_PRECISION);
        String method = a.text(1, "method", "common");
        var mode = switch (method) {
            case "common" -> RoundingMode.HALF_EVEN;
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> throw new TemplateException("FilterArgumentError", "method must be common, ceil or floor");
        };
        if (Types.isInt(v) && mode == RoundingMode.HALF_EVEN && precision >= 0) {
            return Numbers.of(Numbers.big(v));
        }
        double d = Numbers.real(v);
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            return d;
        }
        return new BigDecimal(d).setScale(precision, mode).doubleValue();
    }
}
