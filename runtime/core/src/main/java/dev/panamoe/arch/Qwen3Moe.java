package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import java.util.Set;

/// Qwen 3 with experts in every layer: queries and keys are normed per head.
final class Qwen3Moe implements Architecture {
    @Override
    public String name() {
        return "qwen3moe";
    }

    @Override
    public String description() {
        return "Qwen3 30B-A3B and 235B-A22B, Qwen3-Coder";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        PlainDecoder d = new PlainDecoder(file, name(), Pairing.HALVES, true);
        Moe experts = d.experts(expertWidth(d.hyper()), Activation.SILU, Set.of());
        return d.model(i -> new LayerSpec(
                i, d.attention(i, 0, Set.of(Gqa.Part.HEAD_NORMS)), experts, LayerSpec.FFN_NORM, Set.of()));
    }

    /// The first files do not say it; in those models the experts of a token are as wide together as a dense layer.
    private static int expertWidth(Hyper h) {
        return h.has("expert_feed_forward_length")
                ? h.width("expert_feed_forward_length")
                : h.width("feed_forward_length") / h.count("expert_used_count");
    }
}
