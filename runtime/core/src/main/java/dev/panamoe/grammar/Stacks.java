package dev.panamoe.grammar;

import dev.panamoe.PanamoeException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a grammar: which set of stacks a byte leads to. What was computed once is kept, up to a bound, so that it acts
/// as a deterministic automaton that is built where texts lead. Not for several threads.
final class Stacks {
    /// Entries of all sets and rows kept; some 30 MB at most.
    private static final int MOST_KEPT = 1 << 21;
    /// Ways to read a text, looked at for one byte. Only very ambiguous grammars come near.
    private static final int MOST_WAYS = 1 << 15;

    private record Item(int node, Config parent) {
        static final Comparator<Item> ORDER =
                Comparator.comparingInt(Item::node).thenComparingLong(i -> i.parent.serial);

        @Override
        public boolean equals(@Nullable Object o) {
            return o instanceof Item(int n, Config p) && n == node && p.serial == parent.serial;
        }

        @Override
        public int hashCode() {
            return 31 * node + Long.hashCode(parent.serial);
        }
    }

    /// Those that call a rule at one place of the text.
    private static final class Callers {
        final Set<Item> items = new HashSet<>();
        boolean base;
    }

    private final Grammar grammar;
    private final Map<Config, Config> known = new HashMap<>();
    private final List<@Nullable Config[]> rows = new ArrayList<>();
    private int kept;
    private int epoch;
    private long serials = 2;

    Stacks(Grammar grammar) {
        this.grammar = grammar;
    }

    /// How often the cache was emptied: sets from before are not found in it again.
    int epoch() {
        return epoch;
    }

    /// The beginning of a text.
    Config start() {
        var closure = new Closure();
        closure.ends = grammar.nullable[grammar.root];
        closure.callers(grammar.root).base = true;
        return closure.config();
    }

    /// What follows when a call has returned to these.
    Config resume(Config parents) {
        var closure = new Closure();
        closure.pop(parents);
        return closure.config();
    }

    /// These nodes over the empty stack.
    Config alone(int[] nodes) {
        Config[] parents = new Config[nodes.length];
        Arrays.fill(parents, Config.BASE);
        return intern(nodes, parents, false);
    }

    Config step(Config config, int b) {
        if (!config.isOpen()) {
            return Config.DEAD;
        }
        int c = grammar.classes[b & 0xFF] & 0xFF;
        @Nullable Config[] row = config.epoch == epoch ? rows.get(config.row) : newRow(config);
        Config next = row[c];
        if (next == null) {
            next = compute(config, b & 0xFF);
            row[c] = next;
        }
        return next;
    }

    private @Nullable Config[] newRow(Config config) {
        make(grammar.classCount);
        config.epoch = epoch;
        config.row = rows.size();
        @Nullable Config[] row = new @Nullable Config[grammar.classCount];
        rows.add(row);
        return row;
    }

    /// Makes room.
    private void make(int entries) {
        kept += entries;
        if (kept > MOST_KEPT) {
            known.clear();
            rows.clear();
            kept = entries;
            epoch++;
        }
    }

    private Config compute(Config config, int b) {
        var closure = new Closure();
        for (int i = 0; i < config.nodes.length; i++) {
            int node = config.nodes[i];
            if (grammar.low(node) <= b && b <= grammar.high(node)) {
                closure.push(grammar.x[node], config.parents[i]);
            }
        }
        return closure.config();
    }

    private Config intern(Collection<Item> items, boolean ends) {
        Item[] sorted = items.toArray(Item[]::new);
        Arrays.sort(sorted, Item.ORDER);
        int[] nodes = new int[sorted.length];
        Config[] parents = new Config[sorted.length];
        for (int i = 0; i < sorted.length; i++) {
            nodes[i] = sorted[i].node;
            parents[i] = sorted[i].parent;
        }
        return intern(nodes, parents, ends);
    }

    private Config intern(int[] nodes, Config[] parents, boolean ends) {
        if (nodes.length == 0) {
            return ends ? Config.BASE : Config.DEAD;
        }
        var fresh = new Config(nodes, parents, ends, serials++);
        Config found = known.get(fresh);
        if (found == null) {
            make(8 + 2 * nodes.length);
            known.put(fresh, fresh);
            found = fresh;
        }
        return found;
    }

    /// Follows everything that reads no byte. First within rules and back to their callers, where something has been
    /// read in each; then down into the rules that are called here, callers before called, so that each rule is entered
    /// once for all who call it. A rule's way through the empty text is left out there, since its callers skip the
    /// call.
    private final class Closure {
        private final Deque<Item> work = new ArrayDeque<>();
        private final Set<Item> seen = new HashSet<>();
        private final Set<Item> items = new HashSet<>();
        private final Map<Integer, Callers> callers = new HashMap<>();
        private final BitSet called = new BitSet();
        boolean ends;

        void push(int node, Config parent) {
            var item = new Item(node, parent);
            if (seen.add(item)) {
                if (seen.size() > MOST_WAYS) {
                    throw new PanamoeException(grammar.source + ": there are more than " + MOST_WAYS
                            + " ways to read the text so far; make the grammar less ambiguous");
                }
                work.push(item);
            }
        }

        void pop(Config parents) {
            ends |= parents.ends;
            for (int i = 0; i < parents.nodes.length; i++) {
                push(parents.nodes[i], parents.parents[i]);
            }
        }

        Callers callers(int rule) {
            called.set(rule);
            return callers.computeIfAbsent(rule, r -> new Callers());
        }

        Config config() {
            drain(true);
            for (int rule = called.nextSetBit(0); rule >= 0; rule = called.nextSetBit(rule + 1)) {
                Callers by = callers(rule);
                push(grammar.starts[rule], intern(by.items, by.base));
                drain(false);
            }
            return intern(items, ends);
        }

        private void drain(boolean returns) {
            for (Item item = work.poll(); item != null; item = work.poll()) {
                int node = item.node;
                int next = grammar.x[node];
                switch (grammar.kind(node)) {
                    case Grammar.BYTES -> items.add(item);
                    case Grammar.SPLIT -> {
                        push(next, item.parent);
                        push(grammar.y[node], item.parent);
                    }
                    case Grammar.CALL -> {
                        int rule = grammar.y[node];
                        call(callers(rule), next, item.parent);
                        if (grammar.nullable[rule]) {
                            push(next, item.parent);
                        }
                    }
                    default -> {
                        if (returns) {
                            pop(item.parent);
                        }
                    }
                }
            }
        }

        /// A call at a rule's end returns to the rule's callers at once, so that lists by recursion need no stack.
        private void call(Callers by, int next, Config parent) {
            if (grammar.kind(next) != Grammar.END) {
                by.items.add(new Item(next, parent));
                return;
            }
            by.base |= parent.ends;
            for (int i = 0; i < parent.nodes.length; i++) {
                by.items.add(new Item(parent.nodes[i], parent.parents[i]));
            }
        }
    }
}
