package dev.panamoe.template;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A statement of the syntax tree, literal text included.
sealed interface Statement {
    record Data(String text) implements Statement {}

    record Output(Expr value) implements Statement {}

    record Block(List<Statement> body) implements Statement {}

    record Branch(Expr test, Block body) {}

    record If(List<Branch> branches, Block otherwise) implements Statement {}

    record For(Target target, Expr iterable, @Nullable Expr test, boolean recursive, Block body, Block otherwise)
            implements Statement {}

    record Assign(Target target, Expr value) implements Statement {}

    /// `{% set x | filter %}…{% endset %}`.
    record SetBlock(Target target, List<Expr.FilterCall> filters, Block body) implements Statement {}

    record MacroDefinition(String name, Signature signature, Block body) implements Statement {}

    /// `{% call(parameters) f(…) %}…{% endcall %}`: calls `f` with the body as the macro `caller`.
    record CallBlock(Expr.Call call, MacroDefinition caller) implements Statement {}

    record FilterBlock(List<Expr.FilterCall> filters, Block body) implements Statement {}

    record With(List<Target> targets, List<Expr> values, Block body) implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /// The parameters of a macro.
    ///
    /// @param specials which of `varargs`, `kwargs` and `caller` the body names, and so accepts
    record Signature(List<String> names, Map<String, Expr> defaults, Set<String> specials) {}

    /// What can be assigned to.
    sealed interface Target {}

    record NameTarget(String name) implements Target {}

    record AttributeTarget(String namespace, String attribute) implements Target {}

    record TupleTarget(List<Target> items) implements Target {}
}
