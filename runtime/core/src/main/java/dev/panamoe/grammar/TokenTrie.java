package dev.panamoe.grammar;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Set;

/// The tokens of a vocabulary that stand for text, as a tree over their bytes: tokens that begin alike are looked at
/// together. Immutable; for a vocabulary of 262,144 tokens it takes some 10 MB and is built once per model.
///
/// The nodes stand in preorder, so that the nodes below node `n` are those from `n + 1` to `end[n]` - 1. Node 0 is the
/// root, the empty text.
public final class TokenTrie {
    /// Longer tokens are left out: no text needs them.
    private static final int LONGEST = 256;

    final byte[] label;
    final int[] end;
    /// Bytes from the root.
    final short[] depth;

    /// The tokens of node `n` are `tokens[first[n]]` to `tokens[first[n + 1] - 1]`; several may have the same text.
    final int[] first;

    final int[] tokens;

    private final Tokenizer tokenizer;
    private final boolean[] text;

    private TokenTrie(Tokenizer tokenizer, boolean[] text, byte[][] sorted, int[] tokens) {
        this.tokenizer = tokenizer;
        this.text = text;
        this.tokens = tokens;
        int nodes = 1;
        byte[] before = {};
        for (byte[] bytes : sorted) {
            nodes += bytes.length - common(before, bytes);
            before = bytes;
        }
        label = new byte[nodes];
        end = new int[nodes];
        depth = new short[nodes];
        first = new int[nodes + 1];
        fill(sorted);
    }

    private void fill(byte[][] sorted) {
        int[] path = new int[LONGEST + 1]; // the node at each depth
        int node = 0;
        byte[] before = {};
        for (int i = 0; i < sorted.length; i++) {
            byte[] bytes = sorted[i];
            int common = common(before, bytes);
            for (int d = before.length; d > common; d--) {
                end[path[d]] = node + 1;
            }
            for (int d = common; d < bytes.length; d++) {
                node++;
                path[d + 1] = node;
                label[node] = bytes[d];
                depth[node] = (short) (d + 1);
                first[node] = i;
            }
            before = bytes;
        }
        for (int d = before.length; d >= 0; d--) {
            end[path[d]] = node + 1;
        }
        first[node + 1] = sorted.length;
    }

    private static int common(byte[] a, byte[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }

    /// @param excluded tokens that are no text though they have one, such as the marks of reasoning; control tokens and
    ///     those that end an answer are left out in any case
    public static TokenTrie of(Tokenizer tokenizer, Set<Integer> excluded) {
        int size = tokenizer.size();
        boolean[] text = new boolean[size];
        byte[][] bytes = new byte[size][];
        int count = 0;
        for (int id = 0; id < size; id++) {
            if (tokenizer.isControl(id) || tokenizer.stopTokens().contains(id) || excluded.contains(id)) {
                continue;
            }
            byte[] b = tokenizer.bytes(id);
            if (b.length > 0 && b.length <= LONGEST) {
                text[id] = true;
                bytes[count++] = b;
            }
        }
        int[] ids = new int[count];
        for (int id = 0, i = 0; id < size; id++) {
            if (text[id]) {
                ids[i++] = id;
            }
        }
        int[] order = order(bytes, count);
        byte[][] sorted = new byte[count][];
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            sorted[i] = bytes[order[i]];
            tokens[i] = ids[order[i]];
        }
        return new TokenTrie(tokenizer, text, sorted, tokens);
    }

    /// The order of the texts by their bytes: first by four of them, as numbers, and then the rest of those that agree
    /// in these, which takes a third of the time.
    private static int[] order(byte[][] bytes, int count) {
        long[] keys = new long[count];
        for (int i = 0; i < count; i++) {
            long prefix = 0;
            for (int j = 0; j < 4; j++) {
                prefix = prefix << 8 | (j < bytes[i].length ? bytes[i][j] & 0xFF : 0);
            }
            keys[i] = prefix << 31 | i;
        }
        Arrays.sort(keys);
        int[] order = new int[count];
        for (int from = 0; from < count; ) {
            int to = from + 1;
            while (to < count && keys[to] >>> 31 == keys[from] >>> 31) {
                to++;
            }
            Integer[] same = new Integer[to - from];
            for (int i = from; i < to; i++) {
                same[i - from] = (int) (keys[i] & Integer.MAX_VALUE);
            }
            Arrays.sort(same, (a, b) -> Arrays.compareUnsigned(bytes[a], bytes[b]));
            for (int i = from; i < to; i++) {
                order[i] = same[i - from];
            }
            from = to;
        }
        return order;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    boolean isText(int token) {
        return text[token];
    }

    /// Words of a set with one bit per token.
    int words() {
        return (text.length + 63) >>> 6;
    }
}
