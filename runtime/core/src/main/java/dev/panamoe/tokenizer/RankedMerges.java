package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;

/// The merge rules of a byte-pair encoding: which two neighbouring tokens become which one, and in what order of
/// preference. The rank of a rule is its index in the file; the first of equal rules counts.
///
/// A rule is kept by the ids of its two parts. One whose parts or result are not in the vocabulary can never
/// contribute a token and is left out, and so is one that would make a control token out of text.
final class RankedMerges implements Merges {
    private static final int MOST_MERGES = 1 << 24;

    private final LongIntMap ranks;
    private final int[] results; // (rules), by rank

    private RankedMerges(LongIntMap ranks, int[] results) {
        this.ranks = ranks;
        this.results = results;
    }

    /// @throws PanamoeException when the list is missing, too large or has an entry that is not two texts with a
    ///     space between
    static RankedMerges of(Metadata metadata, Vocabulary vocabulary) {
        String key = "tokenizer.ggml.merges";
        Metadata.Strings rules = metadata.strings(key);
        int size = rules.size();
        if (size > MOST_MERGES) {
            throw new PanamoeException(metadata.source() + ": " + key + " has " + size + " entries, more than "
                    + MOST_MERGES + "; the file is damaged");
        }
        LongIntMap ranks = new LongIntMap(size);
        int[] results = new int[size];
        for (int rank = 0; rank < size; rank++) {
            byte[] rule = rules.bytes(rank);
            int space = 1; // the left part may itself begin with a space
            while (space < rule.length && rule[space] != ' ') {
                space++;
            }
            if (space >= rule.length - 1) {
                throw new PanamoeException(metadata.source() + ": " + key + "[" + rank
                        + "] is not two texts with a space between; the file is damaged, convert it again");
            }
            int left = vocabulary.find(rule, 0, space);
            int right = vocabulary.find(rule, space + 1, rule.length);
            System.arraycopy(rule, 0, rule, 1, space);
            int result = vocabulary.find(rule, 1, rule.length);
            if (left >= 0 && right >= 0 && result >= 0 && !vocabulary.isControl(result)) {
                ranks.putIfAbsent(pair(left, right), rank);
                results[rank] = result;
            }
        }
        return new RankedMerges(ranks, results);
    }

    @Override
    public int rule(int left, int right) {
        return left < 0 || right < 0 ? NONE : ranks.get(pair(left, right), NONE);
    }

    @Override
    public int order(int rank) {
        return rank;
    }

    @Override
    public int result(int rank) {
        return results[rank];
    }

    private static long pair(int left, int right) {
        return ((long) left << 32) | right;
    }
}
