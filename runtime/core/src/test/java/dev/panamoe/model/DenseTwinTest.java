package dev.panamoe.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.GgufWriter;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A mixture of one expert is the dense model of the same layers, bit for bit: its only weight is 1. So the goldens of
/// `qwen3moe` speak for `qwen3` too, of which there is no fixture.
class DenseTwinTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");

    @TempDir
    Path folder;

    /// Writes the fixture with its first expert only, as a mixture of one or as a dense layer.
    private Path first(String fixture, String from, String to, boolean dense) {
        GgufWriter out = new GgufWriter().key("general.architecture", to);
        try (GgufFile file = GgufFile.open(FIXTURES.resolve(fixture))) {
            String width = dense ? "feed_forward_length" : "expert_feed_forward_length";
            TensorView gate = file.get("blk.0.ffn_gate_exps.weight");
            out.key(to + "." + width, Math.toIntExact(gate.shape().rows()));
            for (String key : List.of(
                    "context_length",
                    "embedding_length",
                    "block_count",
                    "attention.head_count",
                    "attention.head_count_kv",
                    "attention.key_length",
                    "attention.value_length",
                    "rope.dimension_count")) {
                if (file.metadata().has(from + "." + key)) {
                    out.key(to + "." + key, file.metadata().integer(from + "." + key));
                }
            }
            for (String key : List.of("rope.freq_base", "attention.layer_norm_rms_epsilon")) {
                out.key(to + "." + key, file.metadata().real(from + "." + key));
            }
            if (!dense) {
                out.key(to + ".expert_count", 1).key(to + ".expert_used_count", 1);
            }
            for (TensorView t : file.tensors().values()) {
                String name = t.name();
                if (name.contains("_exps.")) {
                    byte[] bytes = t.data().asSlice(0, t.sliceBytes()).toArray(ValueLayout.JAVA_BYTE);
                    long cols = t.shape().cols();
                    long rows = t.shape().rows();
                    if (dense) {
                        out.tensor(name.replace("_exps.", "."), t.type(), bytes, cols, rows);
                    } else {
                        out.tensor(name, t.type(), bytes, cols, rows, 1);
                    }
                } else if (!name.endsWith("ffn_gate_inp.weight")) {
                    out.tensor(name, t.type(), t.data().toArray(ValueLayout.JAVA_BYTE), SeparateExpertsTest.dims(t));
                } else if (!dense) {
                    TensorView row = t.rows(0, 1);
                    out.tensor(
                            name,
                            t.type(),
                            row.data().toArray(ValueLayout.JAVA_BYTE),
                            t.shape().cols(),
                            1);
                }
            }
        }
        return out.write(folder.resolve((dense ? "dense" : "mixture") + ".gguf"));
    }

    @ParameterizedTest
    @CsvSource({
        "qwen3-moe/model.gguf, qwen3moe, qwen3",
        "qwen3-moe/model-q8_0.gguf, qwen3moe, qwen3",
        "mixtral/model.gguf, llama, llama",
    })
    void givesTheSameLogits(String fixture, String mixture, String dense) {
        float[] logits = SeparateExpertsTest.logits(first(fixture, mixture, dense, true));
        assertThat(logits)
                .isEqualTo(SeparateExpertsTest.logits(first(fixture, mixture, mixture, false)))
                .isNotEqualTo(SeparateExpertsTest.logits(FIXTURES.resolve(fixture)));
    }
}
