package dev.panamoe.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Evaluates expressions.
final class Evaluator {
    private Evaluator() {}

    static Object eval(Expr expr, Scope scope) {
        Budget.enter();
        Object value = value(expr, scope);
        Budget.leave();
        return value;
    }

    private static Object value(Expr expr, Scope scope) {
        return switch (expr) {
            case Expr.Const e -> e.value();
            case Expr.Name e -> scope.get(e.name());
            case Expr.TupleOf e -> new Tuple(all(e.items(), scope));
            case Expr.ListOf e -> all(e.items(), scope);
            case Expr.DictOf e -> dict(e, scope);
            case Expr.Attribute e -> Attributes.get(eval(e.base(), scope), e.name());
            case Expr.Item e -> Sequences.item(Types.defined(eval(e.base(), scope)), eval(e.key(), scope));
            case Expr.Slice e ->
                Sequences.slice(
                        Types.defined(eval(e.base(), scope)),
                        optional(e.start(), scope),
                        optional(e.stop(), scope),
                        optional(e.step(), scope));
            case Expr.Call e -> call(e, scope, null);
            case Expr.Filter e -> filter(eval(e.base(), scope), e.filter(), scope);
            case Expr.Test e -> {
                Object base = eval(e.base(), scope);
                yield Tests.test(e.name(), base, arguments(e.arguments(), scope, null)) != e.negated();
            }
            case Expr.Not e -> !Types.truth(eval(e.operand(), scope));
            case Expr.Sign e -> sign(e, scope);
            case Expr.And e -> {
                Object left = eval(e.left(), scope);
                yield Types.truth(left) ? eval(e.right(), scope) : left;
            }
            case Expr.Or e -> {
                Object left = eval(e.left(), scope);
                yield Types.truth(left) ? left : eval(e.right(), scope);
            }
            case Expr.Arithmetic e -> Operators.arithmetic(e.op(), eval(e.left(), scope), eval(e.right(), scope));
            case Expr.Compare e -> compare(e, scope);
            case Expr.Concat e -> concat(e, scope);
            case Expr.Conditional e -> conditional(e, scope);
        };
    }

    private static Object optional(@Nullable Expr expr, Scope scope) {
        return expr == null ? None.NONE : eval(expr, scope);
    }

    private static List<Object> all(List<Expr> exprs, Scope scope) {
        Budget.elements(exprs.size());
        var list = new ArrayList<Object>(exprs.size());
        for (Expr e : exprs) {
            list.add(eval(e, scope));
        }
        return list;
    }

    private static Object dict(Expr.DictOf e, Scope scope) {
        Budget.elements(2L * e.keys().size());
        var dict = new Dict();
        for (int i = 0; i < e.keys().size(); i++) {
            Object key = eval(e.keys().get(i), scope);
            dict.put(key, eval(e.values().get(i), scope));
        }
        return dict;
    }

    private static Object sign(Expr.Sign e, Scope scope) {
        Object value = Types.defined(eval(e.operand(), scope));
        if (!Types.isNumber(value)) {
            throw TemplateException.typeError(
                    "bad operand type for unary " + (e.minus() ? "-" : "+") + ": '" + Types.name(value) + "'");
        }
        if (e.minus()) {
            return Numbers.negate(value);
        }
        return value instanceof Boolean b ? (Object) (b ? 1L : 0L) : value;
    }

    private static Object conditional(Expr.Conditional e, Scope scope) {
        if (Types.truth(eval(e.test(), scope))) {
            return eval(e.yes(), scope);
        }
        return e.no() != null
                ? eval(e.no(), scope)
                : new Undefined("the inline if-expression evaluated to false and no else section was defined.");
    }

    private static boolean compare(Expr.Compare e, Scope scope) {
        Object left = eval(e.first(), scope);
        for (int i = 0; i < e.ops().size(); i++) {
            Object right = eval(e.rest().get(i), scope);
            String op = e.ops().get(i);
            boolean holds = switch (op) {
                case "==" -> Operators.equal(left, right);
                case "!=" -> !Operators.equal(left, right);
                case "in" -> Operators.contains(right, left);
                case "not in" -> !Operators.contains(right, left);
                default -> Operators.ordered(op, left, right);
            };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private static Object concat(Expr.Concat e, Scope scope) {
        var b = new StringBuilder();
        for (Expr part : e.parts()) {
            String s = Repr.str(eval(part, scope));
            Budget.growing((long) b.length() + s.length());
            b.append(s);
        }
        Budget.text(b.length());
        return b.toString();
    }

    static Object filter(Object value, Expr.FilterCall filter, Scope scope) {
        return Filters.apply(filter.name(), value, arguments(filter.arguments(), scope, null));
    }

    /// @param caller passed as the argument `caller` by a call block
    static Object call(Expr.Call e, Scope scope, @Nullable Macro caller) {
        Object callee = Types.defined(eval(e.function(), scope));
        if (!(callee instanceof Function function)) {
            throw TemplateException.typeError("'" + Types.name(callee) + "' object is not callable");
        }
        return function.call(arguments(e.arguments(), scope, caller));
    }

    private static Arguments arguments(Expr.ArgumentList list, Scope scope, @Nullable Macro caller) {
        if (list.isEmpty() && caller == null) {
            return Arguments.EMPTY;
        }
        var positional = all(list.positional(), scope);
        if (list.star() != null) {
            var more = Sequences.list(eval(list.star(), scope));
            Budget.elements(more.size());
            positional.addAll(more);
        }
        var named = new LinkedHashMap<String, Object>();
        for (Map.Entry<String, Expr> e : list.named().entrySet()) {
            named.put(e.getKey(), eval(e.getValue(), scope));
        }
        if (list.starStar() != null) {
            if (!(Types.defined(eval(list.starStar(), scope)) instanceof Dict dict)) {
                throw TemplateException.typeError("argument after ** must be a mapping");
            }
            Budget.elements(2L * dict.size());
            dict.entries().forEach(e -> named.put(Repr.str(e.key()), e.value()));
        }
        if (caller != null) {
            named.put("caller", caller);
        }
        return new Arguments(positional, named);
    }
}
