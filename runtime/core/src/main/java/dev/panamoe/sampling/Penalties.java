package dev.panamoe.sampling;

import java.util.Arrays;

/// Makes recent tokens less likely, once however often they occur (as llama.cpp does).
final class Penalties {
    private final float repetition;
    private final float presence;
    /// Ring of the last tokens; `next` is the oldest once it is full.
    private final int[] recent;

    private int filled;
    private int next;
    /// `seen[token] == round`: it has been penalised in this round.
    private int[] seen = new int[0];

    private int round;

    Penalties(SamplingParams p) {
        repetition = p.repetitionPenalty();
        presence = p.presencePenalty();
        boolean active = repetition != 1 || presence != 0;
        recent = new int[active ? p.penaltyWindow() : 0];
    }

    boolean isActive() {
        return recent.length > 0;
    }

    void accept(int token) {
        if (recent.length > 0) {
            recent[next] = token;
            next = (next + 1) % recent.length;
            filled = Math.min(filled + 1, recent.length);
        }
    }

    /// @param logits changed in place
    void apply(float[] logits, int count) {
        if (seen.length < count) {
            seen = new int[count];
            round = 0;
        }
        if (++round == Integer.MAX_VALUE) {
            Arrays.fill(seen, 0);
            round = 1;
        }
        for (int i = 0; i < filled; i++) {
            int token = recent[i];
            if (token < 0 || token >= count || seen[token] == round) {
                continue;
            }
            seen[token] = round;
            float logit = logits[token];
            logits[token] = (logit > 0 ? logit / repetition : logit * repetition) - presence;
        }
    }
}
