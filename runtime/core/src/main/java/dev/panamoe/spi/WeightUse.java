package dev.panamoe.spi;

/// The operations that read weights, and so depend on their types: the question of {@link Device#supports}.
public enum WeightUse {
    EMBED,
    MATMUL,
    MATMUL_PER_HEAD,
    EXPERTS,
    /// Small F32 vectors: norm weights, biases, frequencies.
    VECTOR
}
