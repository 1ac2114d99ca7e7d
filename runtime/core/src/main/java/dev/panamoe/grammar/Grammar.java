package dev.panamoe.grammar;

import java.util.List;

/// A context-free grammar over the bytes of UTF-8 text, as a recursive automaton: each rule is a nondeterministic
/// automaton whose edges read a byte or call a rule. Characters are taken apart into bytes, so that it does not matter
/// how tokens cut them. Immutable; made by {@link Gbnf} and {@link JsonSchema}.
///
/// Each rule that can be reached ends in some text, and none calls itself before it has read something: so whatever
/// has matched so far can be completed, and following calls and returns always ends.
public final class Grammar {
    /// Reads a byte from `low` to `high`, goes on at `x`.
    static final int BYTES = 0;
    /// Goes on at `x` and at `y`.
    static final int SPLIT = 1;
    /// Calls the rule `y`, goes on at `x`.
    static final int CALL = 2;
    /// Returns.
    static final int END = 3;

    /// The nodes: what each does, `kind | low << 8 | high << 16`.
    final int[] ops;

    final int[] x;
    final int[] y;

    /// Where each rule begins. No rule calls one of a lower index before it has read something.
    final int[] starts;

    /// Whether each rule matches the empty text.
    final boolean[] nullable;

    final int root;

    /// Bytes that no node tells apart have one class.
    final byte[] classes;

    final int classCount;

    /// For messages: the file, or whatever the caller named it.
    final String source;

    Grammar(String source, List<int[]> nodes, int[] starts, boolean[] nullable, int root) {
        this.source = source;
        this.starts = starts;
        this.nullable = nullable;
        this.root = root;
        ops = new int[nodes.size()];
        x = new int[nodes.size()];
        y = new int[nodes.size()];
        boolean[] cuts = new boolean[257];
        for (int i = 0; i < ops.length; i++) {
            ops[i] = nodes.get(i)[0];
            x[i] = nodes.get(i)[1];
            y[i] = nodes.get(i)[2];
            if (kind(i) == BYTES) {
                cuts[low(i)] = true;
                cuts[high(i) + 1] = true;
            }
        }
        classes = new byte[256];
        int count = 0;
        for (int b = 1; b < 256; b++) {
            count += cuts[b] ? 1 : 0;
            classes[b] = (byte) count;
        }
        classCount = count + 1;
    }

    int kind(int node) {
        return ops[node] & 0xFF;
    }

    int low(int node) {
        return ops[node] >>> 8 & 0xFF;
    }

    int high(int node) {
        return ops[node] >>> 16 & 0xFF;
    }

    /// Whether the grammar matches the whole text.
    public boolean matches(byte[] utf8) {
        var stacks = new Stacks(this);
        Config config = stacks.start();
        for (byte b : utf8) {
            config = stacks.step(config, b);
        }
        return config.ends;
    }
}
