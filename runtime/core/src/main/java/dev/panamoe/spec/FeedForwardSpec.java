package dev.panamoe.spec;

import java.util.Optional;
import java.util.Set;

/// The feed-forward part of a layer.
public sealed interface FeedForwardSpec {
    private static void requireWidth(int width) {
        if (width < 1) {
            throw new IllegalArgumentException("a feed-forward of width " + width);
        }
    }

    /// `down(activation(gate x) * up x)`.
    ///
    /// @param width rows of gate and up
    record Dense(int width, Activation activation) implements FeedForwardSpec {
        public Dense {
            requireWidth(width);
        }
    }

    /// A few of many experts, and perhaps a dense feed-forward that every token passes as well.
    ///
    /// @param width rows of one expert's gate and up
    /// @param beside the dense part next to the experts: DeepSeek's shared experts, Gemma 4's dense feed-forward
    /// @param besideSuffix what its tensor names end with: `_shexp` or nothing
    /// @param parts what it has beyond router and experts
    record Moe(
            RouterSpec router,
            int width,
            Activation activation,
            Optional<Dense> beside,
            String besideSuffix,
            Set<Part> parts)
            implements FeedForwardSpec {
        /// What only some models have.
        public enum Part {
            /// Experts have a norm of their own before, and both branches one behind (Gemma 4).
            BRANCH_NORMS,
            /// The router reads the residual stream through a norm of its own (Gemma 4) instead of the feed-forward's
            /// input.
            ROUTER_NORM,
            /// `ffn_gate_inp.bias`: added to the router's logits.
            ROUTER_BIAS,
            /// `exp_probs_b`: added to the scores for choosing only.
            SELECTION_BIAS,
            /// `ffn_down_exps.scale`: a factor on each expert's output.
            EXPERT_SCALE,
            /// `ffn_gate_exps.bias`, `ffn_up_exps.bias`, `ffn_down_exps.bias`.
            EXPERT_BIASES
        }

        public Moe {
            requireWidth(width);
            parts = Set.copyOf(parts);
        }

        public boolean has(Part part) {
            return parts.contains(part);
        }
    }
}
