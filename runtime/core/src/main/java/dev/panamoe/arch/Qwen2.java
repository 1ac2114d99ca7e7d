package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import java.util.Set;

/// Qwen 2 and 2.5: queries, keys and values have biases.
final class Qwen2 implements Architecture {
    @Override
    public String name() {
        return "qwen2";
    }

    @Override
    public String description() {
        return "Qwen 2 and 2.5, the R1 distills on Qwen";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        PlainDecoder d = new PlainDecoder(file, name(), Pairing.HALVES, true);
        return d.model(i -> new LayerSpec(
                i, d.attention(i, 0, Set.of(Gqa.Part.QKV_BIAS)), d.dense(i), LayerSpec.FFN_NORM, Set.of()));
    }
}
