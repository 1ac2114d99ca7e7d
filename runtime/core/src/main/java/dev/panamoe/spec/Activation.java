package dev.panamoe.spec;

/// The non-linearity of a gated feed-forward: `activation(gate) * up`.
public enum Activation {
    /// `x / (1 + e^-x)`.
    SILU,
    /// The tanh form: `0.5 x (1 + tanh(0.7978845608028654 (x + 0.044715 x^3)))`.
    GELU_TANH
}
