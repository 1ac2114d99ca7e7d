package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;

/// The merges of SentencePiece's byte-pair encoding: any two neighbours whose texts joined are a token become that
/// token, and the one with the highest score comes first.
///
/// Control, unknown and byte tokens are never made: SentencePiece keeps them apart from the pieces of text. A character
/// that is no token takes no part: a vocabulary holds every character that its longer tokens are made of.
final class ScoredMerges implements Merges {
    private final Vocabulary vocabulary;
    private final int[] orders; // by token

    private ScoredMerges(Vocabulary vocabulary, int[] orders) {
        this.vocabulary = vocabulary;
        this.orders = orders;
    }

    /// @throws PanamoeException when there are no scores, or fewer than tokens
    static ScoredMerges of(Metadata metadata, Vocabulary vocabulary) {
        String key = "tokenizer.ggml.scores";
        float[] scores = metadata.floats(key);
        if (scores.length < vocabulary.size()) {
            throw new PanamoeException(metadata.source() + ": " + key + " has " + scores.length + " entries for "
                    + vocabulary.size() + " tokens; the file is damaged");
        }
        int[] orders = new int[vocabulary.size()];
        for (int id = 0; id < orders.length; id++) {
            orders[id] = descending(scores[id]);
        }
        return new ScoredMerges(vocabulary, orders);
    }

    /// An int that is the smaller the larger the score is, and equal where the score is. NaN comes last.
    private static int descending(float score) {
        int bits = Float.floatToIntBits(0.0f - score); // minus, not negation: both zeros become the same
        return bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
    }

    @Override
    public int rule(int left, int right) {
        if (left < 0 || right < 0) {
            return NONE;
        }
        int joined = vocabulary.findJoined(left, right);
        return joined >= 0 && vocabulary.isText(joined) ? joined : NONE;
    }

    @Override
    public int order(int rule) {
        return orders[rule];
    }

    @Override
    public int result(int rule) {
        return rule;
    }
}
