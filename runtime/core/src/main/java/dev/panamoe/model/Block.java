package dev.panamoe.model;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The weights of one layer. Shapes in comments are (rows, cols): (output, input). d = embedding.
///
/// @param attnNorms (d): one, of the norm before attention; a list as `Ops.addRmsNorm` takes it
/// @param postAttnNorm (d), Gemma
/// @param ffnNorms (d) each: of the norms before the feed-forward, its router and its experts, those that there are
/// @param postFfnNorm (d), Gemma
/// @param outputScale factor on the residual stream behind the layer; 1 = none
/// @param perLayer per-layer embeddings, Gemma E2B and E4B
record Block(
        LayerSpec spec,
        AttentionWeights attention,
        FeedForwardWeights feedForward,
        List<Weight> attnNorms,
        @Nullable Weight postAttnNorm,
        List<Weight> ffnNorms,
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

    /// @param projections q: (heads * headSize, d); then, where no other layer's keys are read, k: (kvHeads * headSize,
    ///     d) and, where values are not the raw keys, v, of k's shape
    /// @param steps what is done to q, k and v then; only to q where another layer's keys are read
    /// @param output (d, heads * headSize)
    record GqaWeights(Attention attention, Rope rope, List<Weight> projections, List<HeadSteps> steps, Linear output)
            implements AttentionWeights {}

    /// @param projections of the layer's input: queries, compressed (queryRank, d) or whole (heads * headSize, d), then
    ///     the latent (rank + ropeSize, d)
    /// @param qDownNorm (queryRank); null when queries are not compressed
    /// @param qUp (heads * headSize, queryRank); null when queries are not compressed
    /// @param kvDownNorm (rank)
    /// @param kUp (heads, rank, nopeSize): takes a query head into the latent space
    /// @param vUp (heads, valueSize, rank): takes a mix of latents to a value head
    /// @param output (d, heads * valueSize)
    record MlaWeights(
            Attention attention,
            Rope rope,
            List<Weight> projections,
            @Nullable Weight qDownNorm,
            @Nullable Weight qUp,
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
    /// @param beside the dense part next to the experts
    /// @param postBesideNorm (d)
    /// @param postExpertNorm (d)
    record MoeWeights(
            Linear logits,
            Router router,
            Experts experts,
            @Nullable DenseWeights beside,
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
