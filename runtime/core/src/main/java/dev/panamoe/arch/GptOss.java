package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import java.util.Set;

/// gpt-oss: every second layer slides, attention has sinks, everything has biases, and the activation is clamped.
final class GptOss implements Architecture {
    private static final Set<Gqa.Part> ATTENTION = Set.of(Gqa.Part.QKV_BIAS, Gqa.Part.OUTPUT_BIAS, Gqa.Part.SINKS);

    private static final Set<Moe.Part> EXPERTS = Set.of(Moe.Part.ROUTER_BIAS, Moe.Part.EXPERT_BIASES);

    @Override
    public String name() {
        return "gpt-oss";
    }

    @Override
    public String description() {
        return "gpt-oss 20b and 120b";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        // The model's own configuration leaves YaRN's bounds unrounded; llama.cpp rounds them, a small difference.
        PlainDecoder d = new PlainDecoder(file, name(), Pairing.HALVES, false);
        Hyper h = d.hyper();
        int window = h.width("attention.sliding_window");
        boolean[] sliding = sliding(h, d.layers());
        Moe experts = d.experts(h.width("expert_feed_forward_length"), Activation.SWIGLU_CLAMPED, EXPERTS);
        return d.model(i -> new LayerSpec(
                i, d.attention(i, sliding[i] ? window : 0, ATTENTION), experts, "post_attention_norm", Set.of()));
    }

    /// Published files do not say which layers slide: the even ones.
    private static boolean[] sliding(Hyper h, int layers) {
        if (h.has("attention.sliding_window_pattern")) {
            return h.flags("attention.sliding_window_pattern", layers);
        }
        boolean[] sliding = new boolean[layers];
        for (int i = 0; i < layers; i += 2) {
            sliding[i] = true;
        }
        return sliding;
    }
}
