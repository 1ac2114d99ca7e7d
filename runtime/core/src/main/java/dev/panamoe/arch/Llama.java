package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.FeedForwardSpec;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import java.util.Set;

/// Llama and what is built like it. Rows of queries and keys are permuted in the file, so that neighbours rotate
/// together. The sliding window of Mistral 7B v0.1 is not used, as in llama.cpp.
final class Llama implements Architecture {
    @Override
    public String name() {
        return "llama";
    }

    @Override
    public String description() {
        return "Llama 2 and 3, Mistral, Mixtral, the R1 distills on Llama";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        PlainDecoder d = new PlainDecoder(file, name(), Pairing.INTERLEAVED, true);
        boolean mixture = d.hyper().count("expert_count", 0) > 0;
        return d.model(i -> new LayerSpec(
                i, d.attention(i, 0, Set.of()), mixture ? experts(d) : d.dense(i), LayerSpec.FFN_NORM, Set.of()));
    }

    private static FeedForwardSpec experts(PlainDecoder d) {
        Hyper h = d.hyper();
        boolean ownWidth = h.has("expert_feed_forward_length");
        int width = h.width(ownWidth ? "expert_feed_forward_length" : "feed_forward_length");
        return d.experts(width, Activation.SILU, Set.of());
    }
}
