package dev.panamoe.grammar;

import dev.panamoe.PanamoeException;
import dev.panamoe.sampling.Constraint;
import java.util.Arrays;
import java.util.Set;

/// Holds one text against a grammar while it is generated: a token may come next when its bytes can be completed to a
/// text of the grammar. Not for several threads.
public final class GrammarConstraint implements Constraint {
    private final Grammar grammar;
    private final TokenTrie trie;
    private final Set<Integer> stopTokens;
    private final Stacks stacks;
    private final TokenMasks masks;
    private Config config;

    /// @param stopTokens allowed exactly when the text may end; none if nothing is to end it but the grammar
    public GrammarConstraint(Grammar grammar, TokenTrie trie, Set<Integer> stopTokens) {
        this.grammar = grammar;
        this.trie = trie;
        this.stopTokens = Set.copyOf(stopTokens);
        stacks = new Stacks(grammar);
        masks = new TokenMasks(trie, stacks);
        config = stacks.start();
    }

    /// Whether the text matches and nothing may follow.
    public boolean isComplete() {
        return config.ends && !config.isOpen();
    }

    /// Whether the text matches.
    public boolean mayEnd() {
        return config.ends;
    }

    @Override
    public boolean allows(int token) {
        return stopTokens.contains(token)
                ? config.ends
                : trie.isText(token) && !after(token).isDead();
    }

    @Override
    public void mask(float[] logits, int count) {
        long[] bits = masks.of(config);
        boolean any = false;
        float[] stops = new float[config.ends ? stopTokens.size() : 0];
        int[] stopIds =
                config.ends ? stopTokens.stream().mapToInt(Integer::intValue).toArray() : new int[0];
        for (int i = 0; i < stops.length; i++) {
            stops[i] = stopIds[i] < count ? logits[stopIds[i]] : 0;
        }
        for (int word = 0; word << 6 < count; word++) {
            int from = word << 6;
            int to = Math.min(from + 64, count);
            long allowed = word < bits.length ? bits[word] : 0;
            any |= allowed != 0;
            if (allowed == 0) {
                Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
            } else if (allowed != -1) {
                for (int token = from; token < to; token++) {
                    if ((allowed >>> token & 1) == 0) {
                        logits[token] = Float.NEGATIVE_INFINITY;
                    }
                }
            }
        }
        for (int i = 0; i < stops.length; i++) {
            if (stopIds[i] < count) {
                logits[stopIds[i]] = stops[i];
                any = true;
            }
        }
        if (!any) {
            throw new PanamoeException(grammar.source + ": no token of this model's vocabulary spells what the grammar"
                    + " wants next; loosen the grammar there");
        }
    }

    @Override
    public void accept(int token) {
        if (stopTokens.contains(token)) {
            return;
        }
        Config next = after(token);
        if (next.isDead()) {
            throw new IllegalArgumentException("token " + token + " is not allowed here");
        }
        config = next;
    }

    private Config after(int token) {
        Config next = config;
        for (byte b : trie.tokenizer().bytes(token)) {
            next = stacks.step(next, b);
        }
        return next;
    }
}
