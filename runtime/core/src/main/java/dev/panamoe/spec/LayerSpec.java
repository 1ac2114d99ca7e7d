package dev.panamoe.spec;

import java.util.Set;

/// One layer of a decoder.
///
/// @param index from 0
/// @param ffnNorm name of the norm before the feed-forward, without `.weight`
/// @param parts what it has beyond attention, feed-forward and a norm before each
public record LayerSpec(
        int index, AttentionSpec attention, FeedForwardSpec feedForward, String ffnNorm, Set<Part> parts) {
    /// What most models call {@link #ffnNorm}.
    public static final String FFN_NORM = "ffn_norm";

    /// What only some models have.
    public enum Part {
        /// Attention and feed-forward outputs are normed before they are added (Gemma).
        POST_NORMS,
        /// `layer_output_scale`: a factor on the whole residual stream behind the layer.
        OUTPUT_SCALE
    }

    public LayerSpec {
        parts = Set.copyOf(parts);
    }

    public boolean has(Part part) {
        return parts.contains(part);
    }
}
