package dev.panamoe.spec;

import java.util.Optional;

/// The feed-forward part of a layer.
public sealed interface FeedForwardSpec {
    /// `down(activation(gate x) * up x)`.
    ///
    /// @param width rows of gate and up
    record Dense(int width, Activation activation) implements FeedForwardSpec {}

    /// A few of many experts, and perhaps a dense feed-forward that every token passes as well.
    ///
    /// @param width rows of one expert's gate and up
    /// @param beside the dense part next to the experts: DeepSeek's shared experts, Gemma 4's dense feed-forward
    /// @param besideSuffix what its tensor names end with: `_shexp` or nothing
    /// @param branchNorms experts have a norm of their own before, and both branches one behind (Gemma 4)
    /// @param routerNorm the router reads the residual stream through a norm of its own (Gemma 4) instead of the
    ///     feed-forward's input
    /// @param selectionBias `exp_probs_b` exists
    /// @param expertScale `ffn_down_exps.scale` exists
    record Moe(
            RouterSpec router,
            int width,
            Activation activation,
            Optional<Dense> beside,
            String besideSuffix,
            boolean branchNorms,
            boolean routerNorm,
            boolean selectionBias,
            boolean expertScale)
            implements FeedForwardSpec {}
}
