package dev.panamoe.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.GgufWriter;
import dev.panamoe.reference.ReferenceProvider;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Mixtral files from before April 2024: a tensor an expert, and the router in F16.
class SeparateExpertsTest {
    private static final Path MIXTRAL = Path.of(System.getProperty("panamoe.testdata"), "fixtures/mixtral/model.gguf");
    private static final int[] TOKENS = {1, 77, 300, 4, 212};

    @TempDir
    Path folder;

    /// Writes the fixture with its experts as they are or in tensors of their own, `order` saying which comes when.
    private Path rewritten(String name, boolean separate, QuantType router, int... order) {
        GgufWriter out = new GgufWriter();
        try (GgufFile file = GgufFile.open(MIXTRAL)) {
            out.key("general.architecture", "llama");
            for (String key : List.of(
                    "context_length",
                    "embedding_length",
                    "block_count",
                    "feed_forward_length",
                    "attention.head_count",
                    "attention.head_count_kv",
                    "rope.dimension_count",
                    "expert_count",
                    "expert_used_count")) {
                out.key("llama." + key, file.metadata().integer("llama." + key));
            }
            for (String key : List.of("rope.freq_base", "attention.layer_norm_rms_epsilon")) {
                out.key("llama." + key, file.metadata().real("llama." + key));
            }
            file.tensors().values().stream()
                    .filter(t -> !separate || !t.name().contains("_exps."))
                    .forEach(t -> out.tensor(t.name(), typeOf(t, router), bytesOf(t, router), dims(t)));
            int layers = separate ? file.metadata().integer("llama.block_count") : 0;
            for (int layer = 0; layer < layers; layer++) {
                for (int e : order) {
                    for (String part : List.of("ffn_gate", "ffn_down", "ffn_up")) {
                        TensorView all = file.get("blk." + layer + "." + part + "_exps.weight");
                        byte[] one = all.data()
                                .asSlice(all.sliceStart(e), all.sliceBytes())
                                .toArray(ValueLayout.JAVA_BYTE);
                        String own = "blk." + layer + "." + part + "." + e + ".weight";
                        out.tensor(
                                own,
                                all.type(),
                                one,
                                all.shape().cols(),
                                all.shape().rows());
                    }
                }
            }
        }
        return out.write(folder.resolve(name));
    }

    static long[] dims(TensorView t) {
        return t.shape().dims().stream().flatMapToLong(LongStream::of).toArray();
    }

    private static QuantType typeOf(TensorView t, QuantType router) {
        return t.name().endsWith("ffn_gate_inp.weight") ? router : t.type();
    }

    private static byte[] bytesOf(TensorView t, QuantType router) {
        if (typeOf(t, router) == t.type()) {
            return t.data().toArray(ValueLayout.JAVA_BYTE);
        }
        byte[] out = new byte[Math.toIntExact(2 * t.shape().size())];
        for (int i = 0; i < t.shape().size(); i++) {
            short half = Float.floatToFloat16(t.data().get(LittleEndian.F32, 4L * i));
            System.arraycopy(GgufWriter.le(2, half), 0, out, 2 * i, 2);
        }
        return out;
    }

    static float[] logits(Path path) {
        BackendProvider provider = new ReferenceProvider();
        var info = ((Probe.Usable) provider.probe()).devices().getFirst();
        try (GgufFile file = GgufFile.open(path);
                Device device = provider.open(info, DeviceOptions.DEFAULT);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, TOKENS.length);
                Caches caches = model.newCaches(16, TOKENS.length, CacheType.F32)) {
            float[] out = new float[TOKENS.length * model.spec().vocabulary()];
            runner.forward(caches, TOKENS, 0, TOKENS.length, 0, Tap.NONE);
            runner.logits(0, TOKENS.length, out, 0, Tap.NONE);
            return out;
        }
    }

    @Test
    void giveTheSameLogits() {
        assertThat(logits(rewritten("f32.gguf", true, QuantType.F32, 0, 1, 2, 3)))
                .isEqualTo(logits(MIXTRAL));
        assertThat(logits(rewritten("f16.gguf", true, QuantType.F16, 0, 1, 2, 3)))
                .isEqualTo(logits(rewritten("f16-stacked.gguf", false, QuantType.F16)));
    }

    @Test
    void areReadInPlace() {
        try (GgufFile file = GgufFile.open(rewritten("m.gguf", true, QuantType.F32, 0, 1, 2, 3))) {
            List<String> names = List.of("blk.1.ffn_up.0.weight", "blk.1.ffn_up.1.weight", "blk.1.ffn_up.2.weight");
            TensorView up = file.stack("up", names).orElseThrow();
            MemorySegment first = file.get(names.getFirst()).data();
            assertThat(up.data().address()).isEqualTo(first.address());
            assertThat(up.sliceStarts()).containsExactly(0L, 3 * first.byteSize(), 6 * first.byteSize());
        }
    }

    /// Published files have experts of a layer before and behind its other tensors, as the files of the original ended.
    @Test
    void mayLieInAnyOrder() {
        assertThat(logits(rewritten("m.gguf", true, QuantType.F32, 0, 3, 1, 2))).isEqualTo(logits(MIXTRAL));
    }

    @Test
    void thatDifferInShapeAreRefusedWithTheRemedy() throws IOException {
        Path path = rewritten("m.gguf", true, QuantType.F32, 0, 1, 2, 3);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        String name = "blk.0.ffn_gate.3.weight";
        int dims = new String(bytes.array(), StandardCharsets.ISO_8859_1).indexOf(name) + name.length() + 4;
        bytes.putLong(dims, bytes.getLong(dims) / 2);
        bytes.putLong(dims + 8, bytes.getLong(dims + 8) * 2);
        Files.write(path, bytes.array());
        assertThatThrownBy(() -> logits(path))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("m.gguf: blk.0.ffn_gate.0.weight to blk.0.ffn_gate.3.weight")
                .hasMessageContaining("convert the model again")
                .hasMessageNotContaining("\n");
    }

    @Test
    void thatAreMissingAreNamed() {
        Path path = rewritten("m.gguf", true, QuantType.F32, 0, 1, 2);
        assertThatThrownBy(() -> logits(path))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("blk.0.ffn_gate.3.weight is missing");
    }
}
