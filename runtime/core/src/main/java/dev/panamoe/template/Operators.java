package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;

/// Python's operators over all types: `+ - * / // % **`, equality, order and membership.
final class Operators {
    private Operators() {}

    static Object arithmetic(String op, Object a, Object b) {
        Types.defined(a);
        Types.defined(b);
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return Numbers.arithmetic(op, a, b);
        }
        if (op.equals("+")) {
            return add(a, b);
        }
        if (op.equals("*") && Types.isInt(b)) {
            return repeat(a, Numbers.toInt(b), b);
        }
        if (op.equals("*") && Types.isInt(a)) {
            return repeat(b, Numbers.toInt(a), a);
        }
        if (op.equals("%") && Types.isText(a)) {
            return Markup.like(a, PercentFormat.format(Repr.str(a), b));
        }
        throw unsupported(op, a, b);
    }

    private static Object add(Object a, Object b) {
        if (Types.isText(a) && Types.isText(b)) {
            if (a instanceof Markup || b instanceof Markup) {
                return Markup.like(new Markup(""), Markup.escape(a) + Markup.escape(b));
            }
            return concat(Repr.str(a), Repr.str(b));
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            return concat(x, y);
        }
        if (a instanceof Tuple x && b instanceof Tuple y) {
            return new Tuple(concat(x.items(), y.items()));
        }
        String type = Types.isText(a) ? "str" : Types.name(a);
        if (Types.isText(a) || a instanceof List || a instanceof Tuple) {
            throw TemplateException.typeError(
                    "can only concatenate " + type + " (not \"" + Types.name(b) + "\") to " + type);
        }
        throw unsupported("+", a, b);
    }

    private static String concat(String a, String b) {
        Budget.text((long) a.length() + b.length());
        return a + b;
    }

    private static List<Object> concat(List<?> a, List<?> b) {
        Budget.elements((long) a.size() + b.size());
        var list = new ArrayList<Object>(a.size() + b.size());
        list.addAll(a);
        list.addAll(b);
        return list;
    }

    private static Object repeat(Object a, int times, Object operand) {
        int n = Math.max(0, times);
        if (Types.isText(a)) {
            String s = Repr.str(a);
            Budget.text((long) s.length() * n);
            return Markup.like(a, s.repeat(n));
        }
        if (!(a instanceof List) && !(a instanceof Tuple)) {
            throw unsupported("*", a, operand);
        }
        var source = Sequences.list(a);
        Budget.elements((long) source.size() * n);
        var list = new ArrayList<Object>(source.size() * n);
        for (int i = 0; i < n && !source.isEmpty(); i++) {
            list.addAll(source);
        }
        return a instanceof Tuple ? new Tuple(list) : list;
    }

    private static TemplateException unsupported(String op, Object a, Object b) {
        return TemplateException.typeError(
                "unsupported operand type(s) for " + op + ": '" + Types.name(a) + "' and '" + Types.name(b) + "'");
    }

    static boolean equal(Object a, Object b) {
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return !Numbers.isNaN(a) && !Numbers.isNaN(b) && Numbers.compare(a, b) == 0;
        }
        if (Types.isText(a) && Types.isText(b)) {
            String x = Repr.str(a);
            Budget.scan(x.length());
            return x.equals(Repr.str(b));
        }
        return switch (a) {
            case Undefined x -> b instanceof Undefined;
            case Range x -> x.equals(b);
            case Tuple x -> b instanceof Tuple y && equal(x.items(), y.items());
            case List<?> x -> b instanceof List<?> y && equal(x, y);
            case Dict x -> b instanceof Dict y && equal(x, y);
            default -> a.equals(b);
        };
    }

    private static boolean equal(List<?> x, List<?> y) {
        if (x.size() != y.size()) {
            return false;
        }
        Budget.enter();
        boolean equal = true;
        for (int i = 0; equal && i < x.size(); i++) {
            Budget.step();
            equal = equal((Object) x.get(i), y.get(i));
        }
        Budget.leave();
        return equal;
    }

    private static boolean equal(Dict x, Dict y) {
        if (x.size() != y.size()) {
            return false;
        }
        Budget.enter();
        boolean equal = true;
        for (var entry : x.entries()) {
            Budget.step();
            Object other = y.get(entry.key());
            equal &= other != null && equal(entry.value(), other);
            if (!equal) {
                break;
            }
        }
        Budget.leave();
        return equal;
    }

    /// `op` is one of `< <= > >=`.
    static boolean ordered(String op, Object a, Object b) {
        if (Numbers.isNaN(a) || Numbers.isNaN(b)) {
            return false;
        }
        int c = compare(a, b);
        return switch (op) {
            case "<" -> c < 0;
            case "<=" -> c <= 0;
            case ">" -> c > 0;
            default -> c >= 0;
        };
    }

    static int compare(Object a, Object b) {
        Types.defined(a);
        Types.defined(b);
        Budget.step();
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return Numbers.compare(a, b);
        }
        if (Types.isText(a) && Types.isText(b)) {
            return Text.compare(Repr.str(a), Repr.str(b));
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            return compare(x, y);
        }
        if (a instanceof Tuple x && b instanceof Tuple y) {
            return compare(x.items(), y.items());
        }
        throw TemplateException.typeError(
                "'<' not supported between instances of '" + Types.name(a) + "' and '" + Types.name(b) + "'");
    }

    private static int compare(List<?> x, List<?> y) {
        Budget.enter();
        int result = Integer.compare(x.size(), y.size());
        for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
            Budget.step();
            if (!equal((Object) x.get(i), y.get(i))) {
                result = compare((Object) x.get(i), y.get(i));
                break;
            }
        }
        Budget.leave();
        return result;
    }

    /// `item in box`.
    static boolean contains(Object box, Object item) {
        if (Types.isText(box)) {
            if (!Types.isText(item)) {
                throw TemplateException.typeError(
                        "'in <string>' requires string as left operand, not " + Types.name(item));
            }
            return new TextSearch(Repr.str(item)).first(Repr.str(box), 0) >= 0;
        }
        if (box instanceof Dict d) {
            return d.has(item);
        }
        if (!Sequences.isIterable(box)) {
            throw TemplateException.typeError("argument of type '" + Types.name(box) + "' is not iterable");
        }
        for (Object o : Sequences.list(box)) {
            Budget.step();
            if (equal(o, item)) {
                return true;
            }
        }
        return false;
    }
}
