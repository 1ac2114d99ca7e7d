package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec;
import dev.panamoe.spec.FeedForwardSpec;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spec.RouterSpec.Gating;
import dev.panamoe.spec.RouterSpec.GroupScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// DeepSeek V2, V3 and R1: latent attention, YaRN always on, leading dense layers, then experts with shared ones.
final class DeepSeek2 implements Architecture {
    private static final int GATING_SOFTMAX = 1;
    private static final int GATING_SIGMOID = 2;

    @Override
    public String name() {
        return "deepseek2";
    }

    @Override
    public String description() {
        return "DeepSeek V3, R1, V2, V2-Lite, with `attn_kv_b` or with `attn_k_b` and `attn_v_b`";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        Hyper h = new Hyper(file, name());
        int layers = h.count("block_count") - h.count("nextn_predict_layers", 0);
        if (layers < 1) {
            throw h.fault("no layers are left beside those for multi-token prediction");
        }
        int leadingDense = h.count("leading_dense_block_count", 0);
        int vocabulary = h.vocabulary();
        int embedding = h.width("embedding_length");
        List<LayerSpec> specs = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            FeedForwardSpec feedForward = i < leadingDense
                    ? new Dense(h.width("feed_forward_length"), Activation.SILU)
                    : experts(h, i, layers, embedding);
            specs.add(new LayerSpec(i, attention(h, i), feedForward, LayerSpec.FFN_NORM, Set.of()));
        }
        return new ModelSpec(
                name(),
                h.name(),
                embedding,
                vocabulary,
                h.width("context_length"),
                h.positive("attention.layer_norm_rms_epsilon"),
                1f,
                0f,
                0,
                specs);
    }

    private static AttentionSpec attention(Hyper h, int layer) {
        // Files with separate K and V projections describe the cache in key_length; the head's true sizes are in *_mla.
        int keySize = h.width("attention.key_length_mla", 0);
        int valueSize = h.width("attention.value_length_mla", 0);
        if (keySize == 0 || valueSize == 0) {
            keySize = h.width("attention.key_length");
            valueSize = h.width("attention.value_length");
        }
        int ropeSize = h.width("rope.dimension_count");
        if (ropeSize % 2 != 0 || ropeSize >= keySize) {
            throw h.fault("rope.dimension_count", ropeSize, "an even number below the head's " + keySize);
        }
        float base = h.positive("rope.freq_base", 10_000f);
        double scale = 1 / Math.sqrt(keySize);
        float[] frequencies;
        double amplitude = 1;
        String scaling = h.text("rope.scaling.type", "none");
        switch (scaling) {
            case "yarn" -> {
                h.only("rope.scaling.attn_factor", 1);
                h.only("rope.scaling.yarn_attn_factor", 1);
                h.only("rope.scaling.yarn_ext_factor", 1);
                float factor = h.positive("rope.scaling.factor");
                frequencies = Ropes.yarn(h, ropeSize, base, true);
                // The key holds 0.1 * mscale_all_dim. With it, attention is raised through the softmax scale; without
                // it, through the rotated values, as plain YaRN does.
                double mscaleAllDim = h.real("rope.scaling.yarn_log_multiplier", 0f) / 0.1;
                if (mscaleAllDim == 0) {
                    amplitude = Ropes.yarnMagnitude(factor, 1);
                } else {
                    double m = Ropes.yarnMagnitude(factor, mscaleAllDim);
                    scale *= m * m;
                }
            }
            case "none" -> frequencies = Ropes.plain(ropeSize, base);
            default -> throw h.fault("rope.scaling.type", scaling, "yarn or none");
        }
        return new AttentionSpec.Mla(
                h.width("attention.head_count"),
                h.width("attention.q_lora_rank", 0),
                h.width("attention.kv_lora_rank"),
                keySize - ropeSize,
                ropeSize,
                valueSize,
                (float) scale,
                new RopeSpec(RopeSpec.Pairing.INTERLEAVED, frequencies, (float) amplitude),
                h.hasTensor("blk." + layer + ".attn_k_b.weight"));
    }

    private static FeedForwardSpec experts(Hyper h, int layer, int layers, int embedding) {
        int experts = h.count("expert_count");
        int used = h.count("expert_used_count");
        boolean selectionBias = h.hasTensor("blk." + layer + ".exp_probs_b.bias");
        // Only the sigmoid models have a selection bias; very early files of theirs lack the gating key.
        int gatingId = h.count("expert_gating_func", selectionBias ? GATING_SIGMOID : GATING_SOFTMAX);
        Gating gating = switch (gatingId) {
            case GATING_SOFTMAX -> Gating.SOFTMAX;
            case GATING_SIGMOID -> Gating.SIGMOID;
            default -> throw h.fault("expert_gating_func", gatingId, "1 (softmax) or 2 (sigmoid)");
        };
        // V3 and R1 were trained with 8 groups of which 4 are used, but files made before October 2025 do not say so.
        boolean v3 = experts == 256 && gating == Gating.SIGMOID && embedding == 7168 && layers == 61;
        int groups = h.count("expert_group_count", v3 ? 8 : 1);
        int groupsUsed = h.count("expert_group_used_count", v3 ? 4 : 1);
        boolean grouped = groups > 1;
        RouterSpec router = new RouterSpec(
                experts,
                used,
                gating,
                grouped ? groups : 1,
                grouped ? groupsUsed : 1,
                gating == Gating.SIGMOID ? GroupScore.TOP2_SUM : GroupScore.MAX,
                h.flag("expert_weights_norm", false),
                h.positive("expert_weights_scale", 1f));
        int width = h.width("expert_feed_forward_length");
        int shared = h.count("expert_shared_count", 0);
        return new Moe(
                router,
                width,
                Activation.SILU,
                shared == 0
                        ? Optional.empty()
                        : Optional.of(new Dense(Math.multiplyExact(shared, width), Activation.SILU)),
                "_shexp",
                selectionBias ? Set.of(Moe.Part.SELECTION_BIAS) : Set.of());
    }
}
