package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import java.util.Set;

/// Qwen 3 without experts: queries and keys are normed per head.
final class Qwen3 implements Architecture {
    @Override
    public String name() {
        return "qwen3";
    }

    @Override
    public String description() {
        return "Qwen3 0.6B to 32B, the R1 distill on Qwen3";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        PlainDecoder d = new PlainDecoder(file, name(), Pairing.HALVES, true);
        return d.model(i -> new LayerSpec(
                i, d.attention(i, 0, Set.of(Gqa.Part.HEAD_NORMS)), d.dense(i), LayerSpec.FFN_NORM, Set.of()));
    }
}
