package dev.panamoe.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which tokens of a vocabulary may follow in each state of a grammar, as sets with one bit per token.
///
/// What a token does above the point where it leaves the rule that it began in does not depend on who called the rule.
/// So that part is computed once for each place in a rule, over an empty stack: the tokens that stay inside, and the
/// nodes of the trie at which the rule ends. Only below those is the trie walked with the callers at hand. Inside a
/// JSON string, those are the tokens with a quote in them, wherever the string stands.
///
/// Not for several threads.
final class TokenMasks {
    /// Sets of the whole vocabulary kept of each kind: 32 KB each for 262,144 tokens.
    private static final int MOST_KEPT = 128;
    /// A rule that more tokens leave than stay inside saves nothing: then all is walked with the callers at hand.
    private static final int MOST_LEAVING = 1 << 14;

    /// What can be said about a place in a rule without its callers.
    private static final class Inside {
        /// The tokens that stay inside.
        final long[] bits;
        /// Nodes of the trie at which the rule ends.
        final List<Integer> leaving = new ArrayList<>();

        Inside(int words) {
            bits = new long[words];
        }

        boolean isWorthwhile() {
            return leaving.size() <= MOST_LEAVING;
        }
    }

    private final TokenTrie trie;
    private final Stacks stacks;
    private final Map<Config, Inside> insides = lru();
    private final Map<Config, long[]> masks = lru();
    private int epoch;
    /// The state at each depth of the trie.
    private final Config[] path = new Config[1 << 9];

    TokenMasks(TokenTrie trie, Stacks stacks) {
        this.trie = trie;
        this.stacks = stacks;
    }

    private static <V> Map<Config, V> lru() {
        return new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Config, V> eldest) {
                return size() > MOST_KEPT;
            }
        };
    }

    /// The tokens whose text may follow. Not to be changed.
    long[] of(Config config) {
        if (epoch != stacks.epoch()) {
            // The keys would not be found again, and hold what was dropped.
            insides.clear();
            masks.clear();
            epoch = stacks.epoch();
        }
        long[] mask = masks.get(config);
        if (mask == null) {
            mask = compute(config);
            masks.put(config, mask);
        }
        return mask;
    }

    private long[] compute(Config config) {
        long[] bits = new long[trie.words()];
        Map<Config, List<Integer>> byParent = new LinkedHashMap<>();
        for (int i = 0; i < config.nodes.length; i++) {
            byParent.computeIfAbsent(config.parents[i], p -> new ArrayList<>()).add(config.nodes[i]);
        }
        for (var group : byParent.entrySet()) {
            Config parent = group.getKey();
            Config alone = stacks.alone(
                    group.getValue().stream().mapToInt(Integer::intValue).toArray());
            Inside inside = insides.get(alone);
            if (inside == null) {
                inside = inside(alone);
                insides.put(alone, inside);
            }
            if (!inside.isWorthwhile()) {
                walk(0, config, bits, new ArrayList<>());
                return bits;
            }
            for (int i = 0; i < bits.length; i++) {
                bits[i] |= inside.bits[i];
            }
            Config after = stacks.resume(parent);
            for (int node : inside.leaving) {
                // What is left can always be completed.
                set(node, bits);
                if (after.isOpen()) {
                    walk(node, after, bits, new ArrayList<>());
                }
            }
        }
        return bits;
    }

    private Inside inside(Config alone) {
        Inside inside = new Inside(trie.words());
        walk(0, alone, inside.bits, inside.leaving);
        return inside;
    }

    /// Sets the tokens below a node of the trie that may follow.
    ///
    /// @param ends gets the nodes at which the empty stack is reached
    private void walk(int from, Config config, long[] bits, List<Integer> ends) {
        int base = trie.depth[from];
        path[base] = config;
        int end = trie.end[from];
        for (int node = from + 1; node < end; ) {
            int depth = trie.depth[node];
            Config next = stacks.step(path[depth - 1], trie.label[node]);
            if (next.isDead()) {
                node = trie.end[node];
                continue;
            }
            if (next.ends) {
                ends.add(node);
            }
            set(node, bits);
            if (next.isOpen()) {
                path[depth] = next;
                node++;
            } else {
                node = trie.end[node];
            }
        }
    }

    private void set(int node, long[] bits) {
        int last = trie.first[node + 1];
        for (int i = trie.first[node]; i < last; i++) {
            int token = trie.tokens[i];
            bits[token >>> 6] |= 1L << token;
        }
    }
}
