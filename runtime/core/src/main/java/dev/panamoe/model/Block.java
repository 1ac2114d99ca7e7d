package dev.panamoe.model;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The weights of one layer. Shapes in comments are (rows, cols): (output, input). d = embedding.
///
/// @param attnNorm (d)
/// @param postAttnNorm (d), Gemma
/// @param ffnNorm (d)
/// @param postFfnNorm (d), Gemma
/// @param outputScale factor on the residual stream behind the layer; 1 = none
/// @param perLayer per-layer embeddings, Gemma E2B and E4B
record Block(
        LayerSpec spec,
        AttentionWeights attention,
        FeedForwardWeights feedForward,
        Weight attnNorm,
        @Nullable Weight postAttnNorm,
        Weight ffnNorm,
        @Nullable Weight postFfnNorm,
        float outputScale,
        @Nullable PerLayer perLayer) {

    sealed interface AttentionWeights {
        Attention attention();

        Rope rope();
    }

    /// A projection, and the vector that is added to its outputs.
    ///
    /// @param weight (out, in)
    /// @param bias (out); null when the model has none
    record Linear(Weight weight, @Nullable Weight bias) {}

    /// @param q (heads * headSize, d)
    /// @param k (kvHeads * headSize, d); null when another layer's keys are read
    /// @param v as k; null also when values are the raw keys
    /// @param projections the weights of q, k and v, those that there are
    /// @param output (d, heads * headSize)
    /// @param qNorm (headSize)
    /// @param kNorm (headSize)
    record GqaWeights(
            Attention attention,
            Rope rope,
            Linear q,
            @Nullable Linear k,
            @Nullable Linear v,
            List<Weight> projections,
            Linear output,
            @Nullable Weight qNorm,
            @Nullable Weight kNorm)
            implements AttentionWeights {}

    /// @param qDown (queryRank, d); null when queries are not compressed
    /// @param qDownNorm (queryRank)
    /// @param q (heads * headSize, queryRank or d)
    /// @param kvDown (rank + ropeSize, d)
    /// @param kvDownNorm (rank)
    /// @param kUp (heads, rank, nopeSize): takes a query head into the latent space
    /// @param vUp (heads, valueSize, rank): takes a mix of latents to a value head
    /// @param output (d, heads * valueSize)
    record MlaWeights(
            Attention attention,
            Rope rope,
            @Nullable Weight qDown,
            @Nullable Weight qDownNorm,
            Weight q,
            Weight kvDown,
            Weight kvDownNorm,
            Weight kUp,
            Weight vUp,
            Weight output)
            implements AttentionWeights {}

    sealed interface FeedForwardWeights {}

    /// @param gate (width, d)
    /// @param up (width, d)
    /// @param down (d, width)
    record DenseWeights(Weight gate, Weight up, Weight down, Activation activation) implements FeedForwardWeights {}

    /// @param logits (experts, d)
    /// @param routerNorm (d): `ffn_gate_inp.scale / sqrt(d)`; null when the router reads the feed-forward's input
    /// @param beside the dense part next to the experts
    /// @param expertNorm (d); null when experts read the feed-forward's input
    /// @param postBesideNorm (d)
    /// @param postExpertNorm (d)
    record MoeWeights(
            Linear logits,
            Router router,
            Experts experts,
            @Nullable Weight routerNorm,
            @Nullable DenseWeights beside,
            @Nullable Weight expertNorm,
            @Nullable Weight postBesideNorm,
            @Nullable Weight postExpertNorm)
            implements FeedForwardWeights {}

    /// W = width of the per-layer embeddings.
    ///
    /// @param gate (W, d)
    /// @param projection (d, W)
    /// @param postNorm (d)
    record PerLayer(Weight gate, Weight projection, Weight postNorm) {}
}
