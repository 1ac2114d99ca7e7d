package dev.panamoe.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The variable `loop` of one running loop.
final class LoopContext implements Function {
    private final Statement.For node;
    private final List<Object> items;
    private final int level;
    private final Scope outer;
    private int index;
    private @Nullable Object last;

    /// @param level how many recursive loops are around this one
    LoopContext(Statement.For node, List<Object> items, int level, Scope outer) {
        this.node = node;
        this.items = items;
        this.level = level;
        this.outer = outer;
    }

    void index(int i) {
        index = i;
    }

    int size() {
        return items.size();
    }

    String position() {
        return index + 1 + "/" + items.size();
    }

    Object get(String name) {
        long n = items.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> n - index;
            case "revindex0" -> n - index - 1;
            case "first" -> index == 0;
            case "last" -> index == n - 1;
            case "length" -> n;
            case "depth" -> level + 1L;
            case "depth0" -> (long) level;
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> index + 1 < n ? items.get(index + 1) : new Undefined("there is no next item");
            case "cycle" -> (Function) this::cycle;
            case "changed" -> (Function) this::changed;
            default -> Undefined.attribute(this, name);
        };
    }

    private Object cycle(Arguments a) {
        if (a.positional().isEmpty()) {
            throw TemplateException.typeError("no items for cycling given");
        }
        return a.get(index % a.positional().size());
    }

    private Object changed(Arguments a) {
        Object now = new Tuple(a.positional());
        boolean changed = last == null || !Operators.equal(last, now);
        last = now;
        return changed;
    }

    /// `loop(items)`: the loop again, one level deeper.
    @Override
    public Object call(Arguments arguments) {
        if (!node.recursive()) {
            throw TemplateException.typeError("The loop must have the 'recursive' marker to be called recursively.");
        }
        var out = new StringBuilder();
        Interpreter.loop(node, arguments.get(0), level + 1, outer, out);
        return out.toString();
    }
}
