package dev.panamoe.template;

import java.util.List;
import java.util.Set;

/// The tests of Jinja2: `value is name(argument)`.
final class Tests {
    private static final Set<String> NAMES = Set.of(
            "defined",
            "undefined",
            "none",
            "string",
            "mapping",
            "iterable",
            "sequence",
            "boolean",
            "true",
            "false",
            "number",
            "integer",
            "float",
            "callable",
            "escaped",
            "odd",
            "even",
            "divisibleby",
            "lower",
            "upper",
            "sameas",
            "in",
            "eq",
            "==",
            "equalto",
            "ne",
            "!=",
            "lt",
            "<",
            "lessthan",
            "le",
            "<=",
            "gt",
            ">",
            "greaterthan",
            "ge",
            ">=",
            "filter",
            "test");

    private Tests() {}

    static boolean test(String name, Object v, Arguments a) {
        return switch (name) {
            case "defined" -> !(v instanceof Undefined);
            case "undefined" -> v instanceof Undefined;
            case "none" -> v instanceof None;
            case "string" -> Types.isText(v);
            case "mapping" -> v instanceof Dict;
            case "iterable" -> Sequences.isIterable(v);
            case "sequence" -> isSequence(v);
            case "boolean" -> v instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(v);
            case "false" -> Boolean.FALSE.equals(v);
            case "number" -> Types.isNumber(v);
            case "integer" -> Types.isInt(v) && !(v instanceof Boolean);
            case "float" -> v instanceof Double;
            case "callable" -> v instanceof Function || v instanceof Undefined;
            case "escaped" -> v instanceof Markup;
            case "odd" -> Operators.equal(Operators.arithmetic("%", v, 2L), 1L);
            case "even" -> Operators.equal(Operators.arithmetic("%", v, 2L), 0L);
            case "divisibleby" -> Operators.equal(Operators.arithmetic("%", v, a.get(0)), 0L);
            case "lower" -> StringMethods.isLower(Repr.str(v));
            case "upper" -> StringMethods.isUpper(Repr.str(v));
            case "sameas" -> isSame(v, a.get(0));
            case "in" -> Operators.contains(a.get(0), v);
            case "eq", "==", "equalto" -> Operators.equal(v, a.get(0));
            case "ne", "!=" -> !Operators.equal(v, a.get(0));
            case "lt", "<", "lessthan" -> Operators.ordered("<", v, a.get(0));
            case "le", "<=" -> Operators.ordered("<=", v, a.get(0));
            case "gt", ">", "greaterthan" -> Operators.ordered(">", v, a.get(0));
            case "ge", ">=" -> Operators.ordered(">=", v, a.get(0));
            case "filter" -> Filters.has(Repr.str(v));
            case "test" -> NAMES.contains(Repr.str(v));
            default -> throw TemplateException.runtimeError("No test named '" + name + "' found.");
        };
    }

    private static boolean isSequence(Object v) {
        return Types.isText(v)
                || v instanceof List
                || v instanceof Tuple
                || v instanceof Range
                || v instanceof Dict
                || v instanceof Undefined;
    }

    /// Identity; equal small values count as the same object, as they are in CPython.
    @SuppressWarnings("ReferenceEquality") // Python's `is`
    private static boolean isSame(Object a, Object b) {
        return a == b || ((a instanceof Long || a instanceof Boolean || a instanceof String) && a.equals(b));
    }
}
