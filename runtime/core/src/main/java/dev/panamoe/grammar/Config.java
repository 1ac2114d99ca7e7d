package dev.panamoe.grammar;

import java.util.Arrays;

/// A set of stacks of a recursive automaton, that is all the ways in which the text so far can be read. Each stack is
/// one of the nodes with one of the stacks of the parent beside it below; or it is empty. Parents are shared, so that
/// very many stacks take little room.
///
/// In what a text leads to, the nodes read bytes; in parents, they are where calls return to.
final class Config {
    static final Config DEAD = new Config(new int[0], new Config[0], false, 0);
    /// The empty stack.
    static final Config BASE = new Config(new int[0], new Config[0], true, 1);

    /// Sorted, then by the serial number of the parents.
    final int[] nodes;

    final Config[] parents;

    /// Whether the empty stack is in the set: the text may end here.
    final boolean ends;

    final long serial;

    private final int hash;

    /// The transitions known, and while which emptying of the cache; see {@link Stacks}.
    int row = -1;

    int epoch = -1;

    Config(int[] nodes, Config[] parents, boolean ends, long serial) {
        this.nodes = nodes;
        this.parents = parents;
        this.ends = ends;
        this.serial = serial;
        int h = Arrays.hashCode(nodes);
        for (Config p : parents) {
            h = 31 * h + Long.hashCode(p.serial);
        }
        hash = 2 * h + (ends ? 1 : 0);
    }

    boolean isDead() {
        return nodes.length == 0 && !ends;
    }

    /// Whether more may follow.
    boolean isOpen() {
        return nodes.length > 0;
    }

    /// Whether the other has the same nodes over the very same parents.
    @Override
    public boolean equals(Object o) {
        if (!(o instanceof Config other)
                || hash != other.hash
                || ends != other.ends
                || !Arrays.equals(nodes, other.nodes)) {
            return false;
        }
        for (int i = 0; i < parents.length; i++) {
            if (parents[i].serial != other.parents[i].serial) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
