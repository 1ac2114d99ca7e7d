package dev.panamoe.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.GgufWriter;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import dev.panamoe.tensor.QuantType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
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
        if (WITH_ROPE_FREQS.contains(String.valueOf(keys.get("general.architecture")))) {
            writer.tensor("rope_freqs.weight", QuantType.F32, floats(1, 1, 1, 1, 1e30f, 1e30f, 1e30f, 1e30f), 8);
        }
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

    private static final Set<String> WITH_ROPE_FREQS = Set.of("gemma4", "llama");

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
        assertThat((double) with.scale()).isCloseTo(m * m / Math.sqrt(12), within(1e-6));
    }

    /// The keys that all plain decoders have: 3 layers, 4 heads of 16 in a stream of 32.
    private static Map<String, Object> plain(String architecture) {
        Map<String, Object> k = new HashMap<>();
        k.put("general.architecture", architecture);
        k.put(architecture + ".block_count", 3);
        k.put(architecture + ".context_length", 1000);
        k.put(architecture + ".embedding_length", 32);
        k.put(architecture + ".feed_forward_length", 48);
        k.put(architecture + ".attention.head_count", 4);
        k.put(architecture + ".attention.head_count_kv", 2);
        k.put(architecture + ".attention.key_length", 16);
        k.put(architecture + ".attention.value_length", 16);
        k.put(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
        return k;
    }

    private static Map<String, Object> mixture(String architecture) {
        Map<String, Object> k = plain(architecture);
        k.put(architecture + ".expert_count", 8);
        k.put(architecture + ".expert_used_count", 2);
        return k;
    }

    private static Map<String, Object> gptOss() {
        Map<String, Object> k = mixture("gpt-oss");
        k.put("gpt-oss.expert_feed_forward_length", 24);
        k.put("gpt-oss.attention.sliding_window", 128);
        k.put("gpt-oss.rope.freq_base", 150_000f);
        k.put("gpt-oss.rope.scaling.type", "yarn");
        k.put("gpt-oss.rope.scaling.factor", 32f);
        k.put("gpt-oss.rope.scaling.original_context_length", 4096);
        return k;
    }

    private static Gqa attention(ModelSpec spec, int layer) {
        return (Gqa) spec.layers().get(layer).attention();
    }

    @Test
    void plainHeadsAreAsWideAsTheFileSays() {
        Gqa a = attention(read(plain("qwen3")), 0);
        assertThat(a.headSize()).isEqualTo(16);
        assertThat(a.queryWidth()).as("twice the embedding").isEqualTo(64);
        assertThat(a.keyWidth()).isEqualTo(32);
        assertThat(a.scale()).isEqualTo(0.25f);
        assertThat(a.rope().dims()).isEqualTo(16);

        Map<String, Object> keys = plain("qwen3");
        keys.remove("qwen3.attention.key_length");
        keys.remove("qwen3.attention.value_length");
        assertThat(attention(read(keys), 0).headSize()).isEqualTo(8);

        keys.put("qwen3.attention.head_count_kv", new int[] {1, 2, 4});
        assertThat(attention(read(keys), 2).kvHeads()).isEqualTo(4);
        keys.remove("qwen3.attention.head_count_kv");
        assertThat(attention(read(keys), 0).kvHeads()).isEqualTo(4);
    }

    @Test
    void qwenNormsHeadsOrAddsBiases() {
        Gqa two = attention(read(plain("qwen2")), 0);
        Gqa three = attention(read(plain("qwen3")), 0);
        assertThat(two.parts()).containsExactly(Gqa.Part.QKV_BIAS);
        assertThat(three.parts()).containsExactly(Gqa.Part.HEAD_NORMS);
        assertThat(two.rope().pairing()).isEqualTo(Pairing.HALVES);
        assertThat(three.rope().pairing()).isEqualTo(Pairing.HALVES);
        assertThat(two.rope().inverseFrequencies()[4]).isEqualTo(0.01f);
    }

    @Test
    void qwenExpertsAreAsWideAsTheFileSaysOrShareADenseLayer() {
        Map<String, Object> keys = mixture("qwen3moe");
        keys.put("qwen3moe.expert_shared_feed_forward_length", 0);
        Moe moe = (Moe) read(keys).layers().get(2).feedForward();
        assertThat(moe.width()).as("48 over 2 experts").isEqualTo(24);
        assertThat(moe.router().normalise()).isTrue();
        assertThat(moe.activation()).isEqualTo(Activation.SILU);
        keys.put("qwen3moe.expert_feed_forward_length", 40);
        assertThat(((Moe) read(keys).layers().get(0).feedForward()).width()).isEqualTo(40);
    }

    @Test
    void yarnScalesFrequenciesAndTheRotation() {
        Map<String, Object> keys = plain("qwen3");
        keys.put("qwen3.rope.scaling.type", "yarn");
        keys.put("qwen3.rope.scaling.factor", 4f);
        keys.put("qwen3.rope.scaling.original_context_length", 32768);
        RopeSpec rope = attention(read(keys), 0).rope();
        assertThat(rope.amplitude()).isEqualTo((float) (0.1 * Math.log(4) + 1));
        assertThat(rope.inverseFrequencies()).isEqualTo(Ropes.yarn(16, 10_000f, 4f, 32768, 32f, 1f, true));
        keys.put("qwen3.rope.scaling.attn_factor", 2f);
        assertThat(attention(read(keys), 0).rope().amplitude()).isEqualTo((float) (2 * (0.1 * Math.log(4) + 1)));
        keys.remove("qwen3.rope.scaling.original_context_length");
        assertFault(keys, "qwen3.rope.scaling.original_context_length");
    }

    @Test
    void aLinearFactorDividesPositions() {
        Map<String, Object> keys = plain("qwen2");
        keys.put("qwen2.rope.scaling.factor", 4f);
        assertThat(attention(read(keys), 0).rope().inverseFrequencies()[0]).isEqualTo(0.25f);
        keys.put("qwen2.rope.scaling.type", "none");
        assertThat(attention(read(keys), 0).rope().inverseFrequencies()[0]).isEqualTo(1f);
        keys = plain("qwen2");
        keys.put("qwen2.rope.scale_linear", 2f);
        assertThat(attention(read(keys), 0).rope().inverseFrequencies()[0]).isEqualTo(0.5f);
    }

    @Test
    void gptOssSlidesInEvenLayersAndHasBiasesAndSinks() {
        ModelSpec spec = read(gptOss());
        assertThat(attention(spec, 0).window()).isEqualTo(128);
        assertThat(attention(spec, 1).window()).isZero();
        assertThat(attention(spec, 2).window()).isEqualTo(128);
        assertThat(attention(spec, 1).parts())
                .containsExactlyInAnyOrder(Gqa.Part.QKV_BIAS, Gqa.Part.OUTPUT_BIAS, Gqa.Part.SINKS);
        assertThat(spec.layers().get(1).ffnNorm()).isEqualTo("post_attention_norm");
        Moe moe = (Moe) spec.layers().get(1).feedForward();
        assertThat(moe.width()).isEqualTo(24);
        assertThat(moe.activation()).isEqualTo(Activation.SWIGLU_CLAMPED);
        assertThat(moe.parts()).containsExactlyInAnyOrder(Moe.Part.ROUTER_BIAS, Moe.Part.EXPERT_BIASES);
        assertThat(attention(spec, 1).rope()).isSameAs(attention(spec, 0).rope());
        assertThat(attention(spec, 0).rope().amplitude()).isEqualTo(1.34657f, within(1e-5f));

        Map<String, Object> keys = gptOss();
        keys.put("gpt-oss.attention.sliding_window_pattern", new boolean[] {false, true, true});
        assertThat(attention(read(keys), 0).window()).isZero();
        assertThat(attention(read(keys), 1).window()).isEqualTo(128);
    }

    @Test
    void llamaRotatesNeighboursWithTheDivisorsOfTheFile() {
        Map<String, Object> keys = plain("llama");
        keys.put("llama.attention.sliding_window", 4096);
        keys.put("llama.expert_count", 0);
        ModelSpec spec = read(keys);
        Gqa a = attention(spec, 0);
        assertThat(a.rope().pairing()).isEqualTo(Pairing.INTERLEAVED);
        assertThat(a.rope().inverseFrequencies()[3]).isEqualTo((float) Math.pow(10_000, -3 / 8.0));
        assertThat(a.rope().inverseFrequencies()[4]).isLessThan(1e-30f);
        assertThat(a.window()).as("of Mistral, not used").isZero();
        assertThat(a.parts()).isEmpty();
        assertThat(spec.layers().get(0).feedForward()).isEqualTo(new Dense(48, Activation.SILU));
        keys.put("llama.attention.scale", 0.5f);
        assertThat(attention(read(keys), 0).scale()).isEqualTo(0.5f);
    }

    @Test
    void llamaMayHaveExpertsAndBiases() {
        Moe moe = (Moe) read(mixture("llama")).layers().get(0).feedForward();
        assertThat(moe.width()).as("Mixtral has no key of its own").isEqualTo(48);
        assertThat(moe.router().used()).isEqualTo(2);
        ModelSpec spec = read(plain("llama"), "blk.1.attn_q.bias", "blk.2.attn_output.bias");
        assertThat(attention(read(plain("llama"), "blk.1.attn_v.bias"), 1).parts())
                .as("the loader asks for the other two")
                .containsExactly(Gqa.Part.QKV_BIAS);
        assertThat(attention(spec, 0).parts()).isEmpty();
        assertThat(attention(spec, 1).parts()).containsExactly(Gqa.Part.QKV_BIAS);
        assertThat(attention(spec, 2).parts()).containsExactly(Gqa.Part.OUTPUT_BIAS);
    }

    @Test
    void whatWouldGiveWrongResultsIsRefused() {
        assertPlainFault("rope.scaling.type", "long\nrope", "llama.rope.scaling.type is 'long\\nrope', expected none");
        assertPlainFault("attention.value_length", 8, "value_length is 8, expected 16, the size of the keys");
        assertPlainFault("rope.dimension_count", 7, "rope.dimension_count is 7, expected an even number");
        assertPlainFault("rope.scaling.factor", 0f, "rope.scaling.factor is 0.0, expected a number above 0");
        assertPlainFault("logit_scale", 8f, "llama.logit_scale is 8.0, which is not supported");
        assertPlainFault("expert_gating_func", 2, "llama.expert_gating_func is 2.0, which is not supported");
        assertPlainFault("expert_shared_count", 1, "llama.expert_shared_count");
        assertPlainFault("expert_weights_norm", false, "llama.expert_weights_norm is 'false', expected true");
        assertPlainFault("attention.head_count", 5, "5 query heads over 2 key heads");

        Map<String, Object> keys = plain("llama");
        keys.remove("llama.attention.key_length");
        keys.put("llama.attention.head_count", 5);
        assertFault(keys, "llama.attention.head_count is 5, expected a divisor of the embedding length 32");

        for (String tensor :
                List.of("attn_q_norm.weight", "attn_sinks.weight", "post_attention_norm.weight", "ffn_up.bias")) {
            assertThatExceptionOfType(PanamoeException.class)
                    .isThrownBy(() -> read(plain("llama"), "blk.1." + tensor))
                    .withMessageContaining("blk.1." + tensor + " is not supported");
        }
        assertThatExceptionOfType(PanamoeException.class)
                .isThrownBy(() -> read(mixture("qwen3moe"), "blk.0.ffn_gate_inp.bias"))
                .withMessageContaining("blk.0.ffn_gate_inp.bias is not supported");

        keys = plain("qwen3");
        keys.put("qwen3.rope.dimension_count", 32);
        assertFault(keys, "rope over 32 of 16 values");

        keys = mixture("qwen3moe");
        keys.put("qwen3moe.feed_forward_length", 1);
        assertFault(keys, "a feed-forward of width 0");

        keys = gptOss();
        keys.remove("gpt-oss.attention.sliding_window");
        assertFault(keys, "gpt-oss.attention.sliding_window");

        keys = gptOss();
        keys.put("gpt-oss.attention.sliding_window_pattern", 2);
        assertFault(keys, "gpt-oss.attention.sliding_window_pattern");
    }

    private void assertPlainFault(String key, Object value, String part) {
        Map<String, Object> keys = plain("llama");
        keys.put("llama." + key, value);
        assertFault(keys, part);
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
