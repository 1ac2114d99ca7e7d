package dev.panamoe.grammar;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Printable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// From rules to a {@link Grammar}: Thompson's construction, from the end of each rule to its beginning.
///
/// Small rules that do not recur are put in place of their calls, so that what a list or a string repeats is seen
/// without following calls, see {@link TokenMasks}.
final class Compiler {
    private static final int MOST_NODES = 1 << 18;
    /// Parts of rules visited; repetitions visit theirs anew.
    private static final int MOST_WORK = 4 * MOST_NODES;

    private static final int INLINE_SIZE = 40;
    private static final int INLINE_HEIGHT = 4;

    private final String source;
    private final Map<String, Expr> rules;
    private final Set<String> inlined = new HashSet<>();
    /// The rules that are called, in the order in which they were found: their place is their id.
    private final List<String> names = new ArrayList<>();

    private final Map<String, Integer> ids = new HashMap<>();
    private final List<int[]> nodes = new ArrayList<>();
    private final List<Integer> starts = new ArrayList<>();
    private int work;

    private Compiler(String source, Map<String, Expr> rules) {
        this.source = source;
        this.rules = rules;
    }

    /// @param rules every rule that is referred to; expressions are nested as deep as the stack bears at most
    /// @throws PanamoeException when the grammar is too large, a rule calls itself before it reads anything, or cannot
    ///     end
    static Grammar compile(String source, Map<String, Expr> rules, String root) {
        return new Compiler(source, rules).compile(root);
    }

    private Grammar compile(String root) {
        chooseInlined();
        id(root);
        // Building one finds others.
        for (int i = 0; i < names.size(); i++) {
            starts.add(build(rule(names.get(i)), node(Grammar.END, 0, 0)));
        }
        Reach productive = new Reach(true);
        for (int rule = 0; rule < names.size(); rule++) {
            if (!productive.rules.get(rule)) {
                throw failure("rule " + quote(names.get(rule)) + " never ends: each of its alternatives needs a rule"
                        + " that never ends; add one that does");
            }
        }
        BitSet nullable = new Reach(false).rules;
        int[] order = order(nullable);
        int[] newIds = new int[order.length];
        int[] orderedStarts = new int[order.length];
        boolean[] orderedNullable = new boolean[order.length];
        for (int i = 0; i < order.length; i++) {
            newIds[order[i]] = i;
            orderedStarts[i] = starts.get(order[i]);
            orderedNullable[i] = nullable.get(order[i]);
        }
        for (int[] node : nodes) {
            if (node[0] == Grammar.CALL) {
                node[2] = newIds[node[2]];
            }
        }
        return new Grammar(source, nodes, orderedStarts, orderedNullable, newIds[0]);
    }

    private PanamoeException failure(String what) {
        return new PanamoeException(source + ": " + what);
    }

    private static String quote(String name) {
        return '"' + Printable.escape(name) + '"';
    }

    private Expr rule(String name) {
        Expr rule = rules.get(name);
        if (rule == null) {
            throw new IllegalArgumentException("no rule " + name);
        }
        return rule;
    }

    private int id(String rule) {
        return ids.computeIfAbsent(rule, r -> {
            names.add(r);
            return names.size() - 1;
        });
    }

    /// From the rules that call none upwards, so that what recurs is never reached.
    private void chooseInlined() {
        Map<String, Set<String>> callers = new HashMap<>();
        Map<String, Integer> missing = new HashMap<>();
        Map<String, Integer> sizes = new HashMap<>();
        Map<String, Integer> heights = new HashMap<>();
        Deque<String> ready = new ArrayDeque<>();
        for (var rule : rules.entrySet()) {
            Set<String> called = new HashSet<>();
            sizes.put(rule.getKey(), measure(rule.getValue(), called));
            called.forEach(c -> callers.computeIfAbsent(c, k -> new HashSet<>()).add(rule.getKey()));
            missing.put(rule.getKey(), called.size());
            if (called.isEmpty()) {
                ready.add(rule.getKey());
            }
        }
        for (String name = ready.poll(); name != null; name = ready.poll()) {
            Set<String> called = new HashSet<>();
            measure(rule(name), called);
            long size = sizes.getOrDefault(name, 0);
            int height = 0;
            for (String c : called) {
                size += sizes.getOrDefault(c, 0);
                height = Math.max(height, heights.getOrDefault(c, 0) + 1);
            }
            heights.put(name, height);
            if (size <= INLINE_SIZE && height <= INLINE_HEIGHT) {
                inlined.add(name);
                sizes.put(name, (int) size);
            } else {
                sizes.put(name, INLINE_SIZE);
            }
            for (String caller : callers.getOrDefault(name, Set.of())) {
                if (missing.merge(caller, -1, Integer::sum) == 0) {
                    ready.add(caller);
                }
            }
        }
    }

    /// The size of a right side without what it calls.
    private static int measure(Expr expr, Set<String> called) {
        return switch (expr) {
            case Expr.Text t -> t.text().length();
            case Expr.Chars c -> c.set().ranges().size();
            case Expr.Sequence s -> measure(s.items(), called);
            case Expr.Choice c -> measure(c.items(), called);
            case Expr.Repeat r ->
                (int) Math.min(
                        (long) measure(r.item(), called) * Math.max(1, Math.max(r.least(), r.most())), 2 * INLINE_SIZE);
            case Expr.Reference r -> {
                called.add(r.rule());
                yield 1;
            }
        };
    }

    private static int measure(List<Expr> items, Set<String> called) {
        int sum = 1;
        for (Expr item : items) {
            sum = Math.min(sum + measure(item, called), 1 << 20);
        }
        return sum;
    }

    private int node(int op, int x, int y) {
        if (nodes.size() >= MOST_NODES) {
            throw tooLarge();
        }
        nodes.add(new int[] {op, x, y});
        return nodes.size() - 1;
    }

    private PanamoeException tooLarge() {
        return failure("the grammar is too large: written out it has more than " + MOST_NODES
                + " steps; use smaller repetition counts, or * in their place");
    }

    private int split(int x, int y) {
        return node(Grammar.SPLIT, x, y);
    }

    /// The node where the expression begins that goes on at `next`.
    private int build(Expr expr, int next) {
        if (++work > MOST_WORK) {
            throw tooLarge();
        }
        return switch (expr) {
            case Expr.Text t -> text(t.text(), next);
            case Expr.Chars c -> chars(c.set(), next);
            case Expr.Sequence s -> {
                int at = next;
                for (Expr item : s.items().reversed()) {
                    at = build(item, at);
                }
                yield at;
            }
            case Expr.Choice c -> {
                int at = build(c.items().getLast(), next);
                for (int i = c.items().size() - 2; i >= 0; i--) {
                    at = split(build(c.items().get(i), next), at);
                }
                yield at;
            }
            case Expr.Repeat r -> repeat(r, next);
            case Expr.Reference r ->
                inlined.contains(r.rule()) ? build(rule(r.rule()), next) : node(Grammar.CALL, next, id(r.rule()));
        };
    }

    private int text(String text, int next) {
        int[] characters = text.codePoints().toArray();
        int at = next;
        for (int i = characters.length - 1; i >= 0; i--) {
            at = chars(CharSet.range(characters[i], characters[i]), at);
        }
        return at;
    }

    private int chars(CharSet set, int next) {
        Map<Long, Integer> shared = new HashMap<>();
        int at = -1;
        for (Utf8Ranges.Pattern pattern : Utf8Ranges.of(set)) {
            int head = next;
            for (int range : pattern.bytes().reversed()) {
                int after = head;
                head = shared.computeIfAbsent(
                        (long) range << 32 | after, k -> node(Grammar.BYTES | range << 8, after, 0));
            }
            at = at < 0 ? head : split(head, at);
        }
        return at;
    }

    private int repeat(Expr.Repeat r, int next) {
        int at = next;
        if (r.most() == Expr.UNBOUNDED) {
            at = split(0, next);
            nodes.get(at)[1] = build(r.item(), at);
        } else {
            for (int i = r.least(); i < r.most(); i++) {
                at = split(build(r.item(), at), next);
            }
        }
        for (int i = 0; i < r.least(); i++) {
            at = build(r.item(), at);
        }
        return at;
    }

    /// From which nodes, and so through which rules, there is a way to the end: through the empty text, or through any.
    private final class Reach {
        final BitSet rules = new BitSet();
        private final BitSet reached = new BitSet();
        private final Deque<Integer> work = new ArrayDeque<>();

        Reach(boolean throughBytes) {
            List<List<Integer>> before = new ArrayList<>();
            nodes.forEach(n -> before.add(new ArrayList<>(2)));
            Map<Integer, List<Integer>> startOf = new HashMap<>();
            Map<Integer, List<Integer>> callsOf = new HashMap<>();
            for (int rule = 0; rule < starts.size(); rule++) {
                startOf.computeIfAbsent(starts.get(rule), k -> new ArrayList<>())
                        .add(rule);
            }
            for (int n = 0; n < nodes.size(); n++) {
                int[] node = nodes.get(n);
                switch (node[0] & 0xFF) {
                    case Grammar.END -> reach(n);
                    case Grammar.SPLIT -> {
                        before.get(node[1]).add(n);
                        before.get(node[2]).add(n);
                    }
                    case Grammar.CALL -> {
                        before.get(node[1]).add(n);
                        callsOf.computeIfAbsent(node[2], k -> new ArrayList<>()).add(n);
                    }
                    default -> {
                        if (throughBytes) {
                            before.get(node[1]).add(n);
                        }
                    }
                }
            }
            for (Integer n = work.poll(); n != null; n = work.poll()) {
                for (int b : before.get(n)) {
                    if (nodes.get(b)[0] != Grammar.CALL || rules.get(nodes.get(b)[2])) {
                        reach(b);
                    }
                }
                for (int rule : startOf.getOrDefault(n, List.of())) {
                    rules.set(rule);
                    for (int call : callsOf.getOrDefault(rule, List.of())) {
                        if (reached.get(nodes.get(call)[1])) {
                            reach(call);
                        }
                    }
                }
            }
        }

        private void reach(int n) {
            if (!reached.get(n)) {
                reached.set(n);
                work.add(n);
            }
        }
    }

    /// The rules so that each comes before those that it calls without having read anything.
    private int[] order(BitSet nullable) {
        List<Set<Integer>> callees = new ArrayList<>();
        List<Set<Integer>> callers = new ArrayList<>();
        names.forEach(n -> {
            callees.add(new HashSet<>());
            callers.add(new HashSet<>());
        });
        for (int rule = 0; rule < names.size(); rule++) {
            callees.set(rule, calledFirst(starts.get(rule), nullable));
            for (int callee : callees.get(rule)) {
                callers.get(callee).add(rule);
            }
        }
        int[] order = new int[names.size()];
        int done = 0;
        int[] missing = callers.stream().mapToInt(Collection::size).toArray();
        Deque<Integer> ready = new ArrayDeque<>();
        for (int rule = 0; rule < missing.length; rule++) {
            if (missing[rule] == 0) {
                ready.add(rule);
            }
        }
        for (Integer rule = ready.poll(); rule != null; rule = ready.poll()) {
            order[done++] = rule;
            missing[rule] = -1;
            for (int callee : callees.get(rule)) {
                if (--missing[callee] == 0) {
                    ready.add(callee);
                }
            }
        }
        if (done < order.length) {
            throw leftRecursion(callers, missing);
        }
        return order;
    }

    private Set<Integer> calledFirst(int start, BitSet nullable) {
        Set<Integer> called = new HashSet<>();
        Set<Integer> seen = new HashSet<>();
        Deque<Integer> todo = new ArrayDeque<>(List.of(start));
        for (Integer n = todo.poll(); n != null; n = todo.poll()) {
            int[] node = nodes.get(n);
            if (!seen.add(n)) {
                continue;
            }
            if (node[0] == Grammar.SPLIT) {
                todo.push(node[1]);
                todo.push(node[2]);
            } else if (node[0] == Grammar.CALL) {
                called.add(node[2]);
                if (nullable.get(node[2])) {
                    todo.push(node[1]);
                }
            }
        }
        return called;
    }

    /// Each rule that could not be ordered is called by another such rule: going up leads into a circle.
    private PanamoeException leftRecursion(List<Set<Integer>> callers, int[] missing) {
        Set<Integer> seen = new HashSet<>();
        int rule = 0;
        while (missing[rule] < 0) {
            rule++;
        }
        while (seen.add(rule)) {
            rule = callers.get(rule).stream()
                    .filter(c -> missing[c] >= 0)
                    .findFirst()
                    .orElseThrow();
        }
        return failure("rule " + quote(names.get(rule)) + " is left-recursive: it calls itself before anything else is"
                + " read; write the repetition with * or put the recursion last");
    }
}
