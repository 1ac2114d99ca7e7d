package dev.panamoe.spi;

import dev.panamoe.spec.Activation;
import org.jspecify.annotations.Nullable;

/// The feed-forward weights of all experts of a layer.
///
/// @param gate (experts, width, embedding)
/// @param up (experts, width, embedding)
/// @param down (experts, embedding, width)
/// @param biases null when the model has none
public record Experts(
        Weight gate, Weight up, Weight down, @Nullable Biases biases, Activation activation) {
    /// Added to each expert's products, F32.
    ///
    /// @param gate (experts, width)
    /// @param up (experts, width)
    /// @param down (experts, embedding)
    public record Biases(Weight gate, Weight up, Weight down) {}

    /// Without biases.
    public Experts(Weight gate, Weight up, Weight down, Activation activation) {
        this(gate, up, down, null, activation);
    }
}
