package dev.panamoe.spec;

/// The non-linearity of a gated feed-forward: what becomes of a gate value `g` and an up value `u`.
public enum Activation {
    /// `g / (1 + e^-g) * u`.
    SILU,
    /// The tanh form: `0.5 g (1 + tanh(0.7978845608028654 (g + 0.044715 g^3))) * u`.
    GELU_TANH,
    /// gpt-oss: `g' / (1 + e^(-1.702 g')) * (u' + 1)` with `g' = min(g, 7)` and `u'` = `u` held between -7 and 7.
    SWIGLU_CLAMPED
}
