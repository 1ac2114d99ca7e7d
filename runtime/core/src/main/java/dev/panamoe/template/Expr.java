package dev.panamoe.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An expression of the syntax tree.
sealed interface Expr {
    record Const(Object value) implements Expr {}

    record Name(String name) implements Expr {}

    record TupleOf(List<Expr> items) implements Expr {}

    record ListOf(List<Expr> items) implements Expr {}

    record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

    record Attribute(Expr base, String name) implements Expr {}

    record Item(Expr base, Expr key) implements Expr {}

    record Slice(
            Expr base,
            @Nullable Expr start,
            @Nullable Expr stop,
            @Nullable Expr step) implements Expr {}

    record Call(Expr function, ArgumentList arguments) implements Expr {}

    record Filter(Expr base, FilterCall filter) implements Expr {}

    record Test(Expr base, String name, ArgumentList arguments, boolean negated) implements Expr {}

    record Not(Expr operand) implements Expr {}

    record Sign(boolean minus, Expr operand) implements Expr {}

    record And(Expr left, Expr right) implements Expr {}

    record Or(Expr left, Expr right) implements Expr {}

    record Arithmetic(String op, Expr left, Expr right) implements Expr {}

    /// `first ops[0] rest[0] ops[1] rest[1] …`: true if each neighbouring pair compares so.
    record Compare(Expr first, List<String> ops, List<Expr> rest) implements Expr {}

    record Concat(List<Expr> parts) implements Expr {}

    /// `yes if test else no`.
    record Conditional(Expr test, Expr yes, @Nullable Expr no) implements Expr {}

    record FilterCall(String name, ArgumentList arguments) {}

    /// The arguments as written: `f(positional, named=…, *star, **starStar)`.
    record ArgumentList(
            List<Expr> positional,
            Map<String, Expr> named,
            @Nullable Expr star,
            @Nullable Expr starStar) {
        static final ArgumentList EMPTY = new ArgumentList(List.of(), Map.of(), null, null);

        boolean isEmpty() {
            return positional.isEmpty() && named.isEmpty() && star == null && starStar == null;
        }
    }
}
