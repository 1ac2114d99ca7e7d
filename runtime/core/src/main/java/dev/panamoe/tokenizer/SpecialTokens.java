package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import java.util.Arrays;
import java.util.Set;
import java.util.function.IntPredicate;

/// Finds control and user-defined tokens in a text: a trie over the bytes of their texts. At each place the longest
/// one wins.
final class SpecialTokens {
    /// The longest text of a special token. Published ones are below 100 bytes; the bound keeps the search linear.
    private static final int LONGEST = 512;

    private static final int ROOT = 0;
    private static final int NO_NODE = -1;
    private static final int NO_TOKEN = -1;

    private final Vocabulary vocabulary;
    private final LongIntMap children = new LongIntMap(64); // node << 8 | byte, to node
    private final int[] first = new int[256]; // children of the root
    private int[] tokens = {NO_TOKEN}; // by node
    private int nodes = 1;

    /// @throws PanamoeException when a special token's text is too long to be one
    SpecialTokens(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        Arrays.fill(first, NO_NODE);
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.isSpecial(id) && vocabulary.length(id) > 0) {
                insert(id);
            }
        }
    }

    private void insert(int id) {
        if (vocabulary.length(id) > LONGEST) {
            throw new PanamoeException(vocabulary.source() + ": the special token " + id + " is "
                    + vocabulary.length(id) + " bytes long, at most " + LONGEST
                    + " are supported; the file is damaged or its token_type is wrong");
        }
        int node = ROOT;
        for (byte b : vocabulary.bytes(id)) {
            int child = child(node, b);
            if (child == NO_NODE) {
                child = nodes++;
                if (child == tokens.length) {
                    tokens = Arrays.copyOf(tokens, child * 2);
                }
                tokens[child] = NO_TOKEN;
                if (node == ROOT) {
                    first[b & 0xFF] = child;
                } else {
                    children.putIfAbsent(edge(node, b), child);
                }
            }
            node = child;
        }
        tokens[node] = id;
    }

    /// The longest special token that the text has at `at`, or -1.
    ///
    /// @param control whether control tokens count, or only user-defined ones
    int match(byte[] text, int at, boolean control) {
        return match(text, at, token -> control || !vocabulary.isControl(token));
    }

    /// Whether a control token or one of `marks` begins at `at`, be it that a longer one of another kind does too.
    boolean steersAt(byte[] text, int at, Set<Integer> marks) {
        return match(text, at, token -> vocabulary.isControl(token) || marks.contains(token)) != NO_TOKEN;
    }

    private int match(byte[] text, int at, IntPredicate counts) {
        int found = NO_TOKEN;
        int node = ROOT;
        for (int i = at; i < text.length; i++) {
            node = child(node, text[i]);
            if (node == NO_NODE) {
                break;
            }
            int token = tokens[node];
            if (token != NO_TOKEN && counts.test(token)) {
                found = token;
            }
        }
        return found;
    }

    private int child(int node, byte b) {
        return node == ROOT ? first[b & 0xFF] : children.get(edge(node, b), NO_NODE);
    }

    private static long edge(int node, byte b) {
        return ((long) node << 8) | (b & 0xFF);
    }
}
