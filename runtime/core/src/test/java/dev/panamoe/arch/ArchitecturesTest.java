package dev.panamoe.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.GgufWriter;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import dev.panamoe.tensor.QuantType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Metadata of the published models, as `specs` describe it, and of files that contradict themselves.
class ArchitecturesTest {
    @TempDir
    Path folder;

    private ModelSpec read(Map<String, Object> keys, String... tensors) {
        GgufWriter writer = new GgufWriter();
        keys.forEach(writer::key);
        writer.tensor("token_embd.weight", QuantType.F32, 8, 16);
        writer.tensor("rope_freqs.weight", QuantType.F32, floats(1, 1, 1, 1, 1e30f, 1e30f, 1e30f, 1e30f), 8);
        for (String tensor : tensors) {
            writer.tensor(tensor, QuantType.F32, 4);
        }
        try (GgufFile file = GgufFile.open(writer.write(folder.resolve("m.gguf")))) {
            return Architectures.read(file);
        }
    }

    private static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    /// The value projections that sliding layers need.
    private static final String[] VALUES = {
        "blk.0.attn_v.weight", "blk.1.attn_v.weight", "blk.3.attn_v.weight", "blk.4.attn_v.weight"
    };

    private static Map<String, Object> gemma() {
        Map<String, Object> k = new HashMap<>();
        k.put("general.architecture", "gemma4");
        k.put("gemma4.block_count", 6);
        k.put("gemma4.context_length", 1000);
        k.put("gemma4.embedding_length", 8);
        k.put("gemma4.feed_forward_length", 32);
        k.put("gemma4.attention.head_count", 4);
        k.put("gemma4.attention.head_count_kv", new int[] {2, 2, 1, 2, 2, 1});
        k.put("gemma4.attention.key_length", 16);
        k.put("gemma4.attention.key_length_swa", 8);
        k.put("gemma4.attention.layer_norm_rms_epsilon", 1e-6f);
        k.put("gemma4.attention.sliding_window", 10);
        k.put("gemma4.attention.sliding_window_pattern", new boolean[] {true, true, false, true, true, false});
        k.put("gemma4.rope.freq_base", 1_000_000f);
        return k;
    }

    private static Map<String, Object> deepseek() {
        Map<String, Object> k = new HashMap<>();
        k.put("general.architecture", "deepseek2");
        k.put("deepseek2.block_count", 4);
        k.put("deepseek2.nextn_predict_layers", 1);
        k.put("deepseek2.context_length", 1000);
        k.put("deepseek2.embedding_length", 8);
        k.put("deepseek2.feed_forward_length", 32);
        k.put("deepseek2.attention.head_count", 4);
        k.put("deepseek2.attention.head_count_kv", 1);
        k.put("deepseek2.attention.key_length", 20);
        k.put("deepseek2.attention.value_length", 16);
        k.put("deepseek2.attention.key_length_mla", 12);
        k.put("deepseek2.attention.value_length_mla", 8);
        k.put("deepseek2.attention.kv_lora_rank", 16);
        k.put("deepseek2.attention.layer_norm_rms_epsilon", 1e-6f);
        k.put("deepseek2.rope.dimension_count", 4);
        k.put("deepseek2.leading_dense_block_count", 1);
        k.put("deepseek2.expert_count", 8);
        k.put("deepseek2.expert_used_count", 2);
        k.put("deepseek2.expert_shared_count", 2);
        k.put("deepseek2.expert_feed_forward_length", 16);
        return k;
    }

    @Test
    void gemmaLayersDifferByKind() {
        ModelSpec spec = read(gemma(), VALUES);
        Gqa sliding = (Gqa) spec.layers().get(0).attention();
        Gqa global = (Gqa) spec.layers().get(2).attention();
        assertThat(sliding.window()).isEqualTo(10);
        assertThat(sliding.headSize()).isEqualTo(8);
        assertThat(sliding.kvHeads()).isEqualTo(2);
        assertThat(sliding.has(Gqa.Part.VALUES_FROM_KEYS)).isFalse();
        assertThat(global.window()).isZero();
        assertThat(global.headSize()).isEqualTo(16);
        assertThat(global.kvHeads()).isEqualTo(1);
        assertThat(global.has(Gqa.Part.VALUES_FROM_KEYS))
                .as("without attn_v values are the raw keys")
                .isTrue();
        assertThat(global.scale()).as("queries and keys are normed").isEqualTo(1f);
        assertThat(global.rope().pairing()).isEqualTo(Pairing.HALVES);
        assertThat(sliding.rope().inverseFrequencies()[1]).isEqualTo((float) Math.pow(10_000, -0.25));
        assertThat(global.rope().inverseFrequencies()[1]).isEqualTo((float) Math.pow(1_000_000, -0.125));
        assertThat(global.rope().inverseFrequencies()[4])
                .as("rope_freqs divide")
                .isLessThan(1e-30f);
        assertThat(spec.logitSoftcap()).isEqualTo(30f);
        assertThat(spec.embeddingScale()).isEqualTo((float) Math.sqrt(8));
        assertThat(spec.layers().get(0).feedForward()).isInstanceOf(Dense.class);
    }

    @Test
    void gemmaTailLayersShareWithTheLastOwnerOfTheirKind() {
        Map<String, Object> keys = gemma();
        keys.put("gemma4.attention.shared_kv_layers", 2);
        // Leftover tensors of sharing layers are ignored.
        ModelSpec spec =
                read(keys, "blk.0.attn_v.weight", "blk.1.attn_v.weight", "blk.3.attn_v.weight", "blk.4.attn_k.weight");
        assertThat(((Gqa) spec.layers().get(3).attention()).sharedFrom()).isEmpty();
        assertThat(((Gqa) spec.layers().get(4).attention()).sharedFrom()).isEqualTo(OptionalInt.of(3));
        assertThat(((Gqa) spec.layers().get(5).attention()).sharedFrom()).isEqualTo(OptionalInt.of(2));
    }

    @Test
    void gemmaWidthsMayBeArrays() {
        Map<String, Object> keys = gemma();
        keys.put("gemma4.feed_forward_length", new int[] {32, 32, 32, 64, 64, 64});
        ModelSpec spec = read(keys, VALUES);
        assertThat(((Dense) spec.layers().get(2).feedForward()).width()).isEqualTo(32);
        assertThat(((Dense) spec.layers().get(3).feedForward()).width()).isEqualTo(64);
    }

    @Test
    void deepseekSkipsPredictionLayersAndReadsTrueHeadSizes() {
        ModelSpec spec = read(deepseek(), "blk.1.attn_k_b.weight");
        assertThat(spec.layers()).hasSize(3);
        Mla mla = (Mla) spec.layers().get(1).attention();
        assertThat(mla.nopeSize()).isEqualTo(8);
        assertThat(mla.ropeSize()).isEqualTo(4);
        assertThat(mla.valueSize()).isEqualTo(8);
        assertThat(mla.splitProjection()).isTrue();
        assertThat(mla.scale()).isEqualTo((float) (1 / Math.sqrt(12)));
        assertThat(mla.rope().pairing()).isEqualTo(Pairing.INTERLEAVED);
        assertThat(spec.layers().get(0).feedForward()).isInstanceOf(Dense.class);
        Moe moe = (Moe) spec.layers().get(1).feedForward();
        assertThat(moe.beside().orElseThrow().width())
                .as("two shared experts as one")
                .isEqualTo(32);
        assertThat(moe.router().normalise()).isFalse();
        assertThat(moe.router().groups()).isEqualTo(1);
    }

    @Test
    void deepseekYarnWithoutTheMultiplierScalesTheRotation() {
        Map<String, Object> keys = deepseek();
        keys.put("deepseek2.rope.scaling.type", "yarn");
        keys.put("deepseek2.rope.scaling.factor", 40f);
        keys.put("deepseek2.rope.scaling.original_context_length", 4096);
        Mla without = (Mla) read(keys).layers().get(0).attention();
        assertThat(without.rope().amplitude()).isEqualTo((float) (0.1 * Math.log(40) + 1));
        assertThat(without.scale()).isEqualTo((float) (1 / Math.sqrt(12)));
        keys.put("deepseek2.rope.scaling.yarn_log_multiplier", 0.1f);
        Mla with = (Mla) read(keys).layers().get(0).attention();
        assertThat(with.rope().amplitude()).isEqualTo(1f);
        double m = 0.1 * Math.log(40) + 1;
        assertThat((double) with.scale())
                .isCloseTo(m * m / Math.sqrt(12), org.assertj.core.api.Assertions.within(1e-6));
    }

    @Test
    void unknownArchitecturesSayWhichAreKnown() {
        assertFault(Map.of("general.architecture", "mamba"), "m.gguf", "'mamba'", "deepseek2, gemma4");
        assertFault(Map.of("general.name", "x"), "general.architecture is missing");
    }

    @Test
    void contradictionsAreNamed() {
        Map<String, Object> keys = gemma();
        keys.put("gemma4.attention.head_count", 3);
        assertFault(keys, "3 query heads over 2 key heads");

        assertFault(gemma(), "the tensor blk.0.attn_v.weight is missing");

        keys = gemma();
        keys.put("gemma4.attention.head_count_kv", 1);
        keys.put("gemma4.attention.head_count", 1 << 24);
        keys.put("gemma4.attention.key_length_swa", 256);
        assertFault(keys, "contradicts itself");

        keys = deepseek();
        keys.put("deepseek2.attention.head_count", 1 << 24);
        keys.put("deepseek2.attention.key_length_mla", 256);
        assertFault(keys, "contradicts itself");

        keys = gemma();
        keys.put("gemma4.attention.shared_kv_layers", 6);
        assertFault(keys, "all 6 layers share");

        keys = gemma();
        keys.put("gemma4.block_count", 100_000);
        assertFault(keys, "gemma4.block_count is 100000", "1 to 512");

        keys = gemma();
        keys.put("gemma4.attention.layer_norm_rms_epsilon", Float.NaN);
        assertFault(keys, "layer_norm_rms_epsilon is NaN");

        keys = gemma();
        keys.put("gemma4.expert_count", 4);
        keys.put("gemma4.expert_used_count", 5);
        keys.put("gemma4.expert_feed_forward_length", 8);
        assertFault(keys, "5 of 4 experts");

        keys = deepseek();
        keys.put("deepseek2.expert_group_count", 3);
        keys.put("deepseek2.expert_group_used_count", 1);
        assertFault(keys, "8 experts in 3 groups");

        keys = deepseek();
        keys.put("deepseek2.rope.dimension_count", 12);
        assertFault(keys, "rope.dimension_count is 12");

        keys = deepseek();
        keys.put("deepseek2.expert_gating_func", 7);
        assertFault(keys, "expert_gating_func is 7");
    }

    private void assertFault(Map<String, Object> keys, String... parts) {
        boolean incomplete = parts[0].contains("attn_v");
        assertThatExceptionOfType(PanamoeException.class)
                .isThrownBy(() -> read(keys, incomplete ? new String[0] : VALUES))
                .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
    }
}
