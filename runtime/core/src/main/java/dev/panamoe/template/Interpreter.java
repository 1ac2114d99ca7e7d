package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;

/// Executes statements: each writes its text to `out`.
final class Interpreter {
    /// How a statement ends.
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private Interpreter() {}

    /// The text of `body` executed in `scope`.
    static String capture(Statement.Block body, Scope scope) {
        var out = new StringBuilder();
        exec(body, scope, out);
        return out.toString();
    }

    private static Flow exec(Statement statement, Scope scope, StringBuilder out) {
        Budget.enter();
        Flow flow = run(statement, scope, out);
        Budget.leave();
        return flow;
    }

    private static Flow run(Statement statement, Scope scope, StringBuilder out) {
        switch (statement) {
            case Statement.Data s -> write(s.text(), out);
            case Statement.Output s -> write(Repr.str(Evaluator.eval(s.value(), scope)), out);
            case Statement.Block s -> {
                for (var child : s.body()) {
                    Flow flow = exec(child, scope, out);
                    if (flow != Flow.NEXT) {
                        return flow;
                    }
                }
            }
            case Statement.If s -> {
                for (var branch : s.branches()) {
                    if (Types.truth(Evaluator.eval(branch.test(), scope))) {
                        return exec(branch.body(), scope, out);
                    }
                }
                return exec(s.otherwise(), scope, out);
            }
            case Statement.For s -> loop(s, Evaluator.eval(s.iterable(), scope), 0, scope, out);
            case Statement.Assign s -> assign(s.target(), Evaluator.eval(s.value(), scope), scope);
            case Statement.SetBlock s -> {
                String text = capture(s.body(), new Scope(scope));
                assign(s.target(), filtered(text, s.filters(), scope), scope);
            }
            case Statement.FilterBlock s -> {
                String text = capture(s.body(), new Scope(scope));
                write(Repr.str(filtered(text, s.filters(), scope)), out);
            }
            case Statement.MacroDefinition s -> scope.set(s.name(), new Macro(s, scope));
            case Statement.CallBlock s -> {
                var caller = new Macro(s.caller(), scope);
                write(Repr.str(Evaluator.call(s.call(), scope, caller)), out);
            }
            case Statement.With s -> {
                var inner = new Scope(scope);
                for (int i = 0; i < s.targets().size(); i++) {
                    assign(s.targets().get(i), Evaluator.eval(s.values().get(i), scope), inner);
                }
                return exec(s.body(), inner, out);
            }
            case Statement.Break s -> {
                return Flow.BREAK;
            }
            case Statement.Continue s -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NEXT;
    }

    private static void write(String text, StringBuilder out) {
        Budget.growing((long) out.length() + text.length());
        Budget.text(text.length());
        out.append(text);
    }

    private static Object filtered(Object value, List<Expr.FilterCall> filters, Scope scope) {
        Object result = value;
        for (var filter : filters) {
            result = Evaluator.filter(result, filter, scope);
        }
        return result;
    }

    /// @param level how many recursive loops are around this one
    static void loop(Statement.For s, Object iterable, int level, Scope scope, StringBuilder out) {
        var items = Sequences.list(iterable);
        if (s.test() != null) {
            var kept = new ArrayList<Object>();
            for (Object item : items) {
                var inner = new Scope(scope);
                assign(s.target(), item, inner);
                if (Types.truth(Evaluator.eval(s.test(), inner))) {
                    kept.add(item);
                }
            }
            items = kept;
        }
        if (items.isEmpty()) {
            exec(s.otherwise(), new Scope(scope), out);
            return;
        }
        var context = new LoopContext(s, items, level, scope);
        for (int i = 0; i < items.size(); i++) {
            context.index(i);
            var inner = new Scope(scope);
            inner.set("loop", context);
            assign(s.target(), items.get(i), inner);
            if (exec(s.body(), inner, out) == Flow.BREAK) {
                break;
            }
        }
    }

    private static void assign(Statement.Target target, Object value, Scope scope) {
        switch (target) {
            case Statement.NameTarget t -> scope.set(t.name(), value);
            case Statement.AttributeTarget t -> {
                if (!(scope.get(t.namespace()) instanceof Namespace namespace)) {
                    throw TemplateException.runtimeError("cannot assign attribute on non-namespace object");
                }
                namespace.attributes().put(t.attribute(), value);
            }
            case Statement.TupleTarget t -> unpack(t.items(), value, scope);
        }
    }

    private static void unpack(List<Statement.Target> targets, Object value, Scope scope) {
        if (!Sequences.isIterable(value)) {
            throw TemplateException.typeError("cannot unpack non-iterable " + Types.name(value) + " object");
        }
        var values = Sequences.list(value);
        int expected = targets.size();
        if (values.size() < expected) {
            throw TemplateException.valueError(
                    "not enough values to unpack (expected " + expected + ", got " + values.size() + ")");
        }
        if (values.size() > expected) {
            throw TemplateException.valueError("too many values to unpack (expected " + expected + ")");
        }
        for (int i = 0; i < expected; i++) {
            assign(targets.get(i), values.get(i), scope);
        }
    }
}
