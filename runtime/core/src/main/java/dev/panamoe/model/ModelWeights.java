package dev.panamoe.model;

import dev.panamoe.spi.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All weights of a model. d = embedding, V = vocabulary, L = layers, W = width of the per-layer embeddings.
///
/// @param embedding (V, d)
/// @param output (V, d); the same tensor as the embedding in tied models
/// @param outputNorm (d)
record ModelWeights(
        Weight embedding,
        Weight output,
        Weight outputNorm,
        @Nullable PerLayerInputs perLayer,
        List<Block> blocks) {
    ModelWeights {
        blocks = List.copyOf(blocks);
    }

    /// @param embedding (V, L * W)
    /// @param projection (L * W, d)
    /// @param norm (W)
    record PerLayerInputs(Weight embedding, Weight projection, Weight norm) {}
}
