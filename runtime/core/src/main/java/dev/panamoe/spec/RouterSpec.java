package dev.panamoe.spec;

/// How experts are chosen from router logits `z`, one logit per expert.
///
/// 1. Scores: `s = softmax(z)` or `sigmoid(z)`.
/// 2. Choice: the `used` largest of `s + bias` (bias when the weights hold one), ties to the lower id. With groups, the
///    experts are `groups` runs of equal length and only those of the `groupsUsed` best groups may be chosen.
/// 3. Weights: the unbiased `s` of the chosen, divided by their sum when `normalise`, times `scale`, times the expert's
///    own scale when the weights hold one.
///
/// @param experts number of experts
/// @param used experts chosen per token
/// @param groups 1 when experts are not grouped
public record RouterSpec(
        int experts,
        int used,
        Gating gating,
        int groups,
        int groupsUsed,
        GroupScore groupScore,
        boolean normalise,
        float scale) {
    /// From logits to scores.
    public enum Gating {
        SOFTMAX,
        SIGMOID
    }

    /// What a group is worth.
    public enum GroupScore {
        /// Its best biased score (DeepSeek V2).
        MAX,
        /// The sum of its two best biased scores (DeepSeek V3).
        TOP2_SUM
    }

    public RouterSpec {
        if (experts < 1 || used < 1 || used > experts) {
            throw new IllegalArgumentException(used + " of " + experts + " experts cannot be chosen");
        }
        if (groups < 1 || experts % groups != 0 || groupsUsed < 1 || groupsUsed > groups) {
            throw new IllegalArgumentException(
                    experts + " experts in " + groups + " groups, of which " + groupsUsed + " are used");
        }
        if (used > experts / groups * groupsUsed) {
            throw new IllegalArgumentException(
                    used + " experts do not fit into " + groupsUsed + " groups of " + experts / groups);
        }
    }

    /// Softmax over all experts, the chosen normalised: Gemma 4, Qwen3, Mixtral.
    public static RouterSpec softmaxTopK(int experts, int used) {
        return new RouterSpec(experts, used, Gating.SOFTMAX, 1, 1, GroupScore.MAX, true, 1f);
    }
}
