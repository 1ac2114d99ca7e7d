package dev.panamoe.spi;

/// The operations that read weights, and so depend on their types: the question of {@link Device#supports}.
public enum WeightUse {
    EMBED,
    MATMUL,
    MATMUL_PER_HEAD,
    EXPERTS,
    /// A row an expert, which is added to its products.
    EXPERT_BIAS,
    /// Small F32 vectors: norm weights, biases, frequencies.
    VECTOR;

    /// Whether activations are multiplied with the weight.
    public boolean isProduct() {
        return switch (this) {
            case MATMUL, MATMUL_PER_HEAD, EXPERTS -> true;
            case EMBED, EXPERT_BIAS, VECTOR -> false;
        };
    }
}
