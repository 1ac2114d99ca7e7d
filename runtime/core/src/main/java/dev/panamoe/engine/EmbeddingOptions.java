package dev.panamoe.engine;

import java.util.Optional;

/// How texts become vectors.
///
/// @param pooling empty = as the file says
/// @param normalize whether vectors have length 1, so that their inner product is the cosine of their angle
/// @param truncate whether of a text beyond the context the beginning is taken; otherwise it is refused
public record EmbeddingOptions(Optional<Pooling> pooling, boolean normalize, boolean truncate) {
    public static final EmbeddingOptions DEFAULT = new EmbeddingOptions(Optional.empty(), true, false);

    public EmbeddingOptions withPooling(Pooling type) {
        return new EmbeddingOptions(Optional.of(type), normalize, truncate);
    }

    public EmbeddingOptions withNormalize(boolean on) {
        return new EmbeddingOptions(pooling, on, truncate);
    }

    public EmbeddingOptions withTruncate(boolean on) {
        return new EmbeddingOptions(pooling, normalize, on);
    }
}
