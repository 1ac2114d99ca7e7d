package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.FeedForwardSpec;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RouterSpec;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Gemma 4: sliding and global layers with different head sizes, queries and keys normed (so the attention scale is 1),
/// values normed; a dense feed-forward beside the experts (26B-A4B); per-layer embeddings and a tail of layers that
/// share keys and values (E2B, E4B).
final class Gemma4 implements Architecture {
    private static final float DEFAULT_SOFTCAP = 30f;

    @Override
    public String name() {
        return "gemma4";
    }

    @Override
    public String description() {
        return "Gemma 4: 26B-A4B with experts, 12B, 31B, E2B, E4B (text)";
    }

    @Override
    public ModelSpec read(GgufFile file) {
        Hyper h = new Hyper(file, name());
        int layers = h.count("block_count");
        int embedding = h.width("embedding_length");
        int[] heads = h.widths("attention.head_count", layers);
        int[] kvHeads = h.widths("attention.head_count_kv", layers);
        int[] ffn = h.widths("feed_forward_length", layers);
        boolean[] sliding = h.flags("attention.sliding_window_pattern", layers);
        int window = h.width("attention.sliding_window");
        int shared = h.count("attention.shared_kv_layers", 0);
        if (shared >= layers) {
            throw h.fault("all " + layers + " layers share keys and values; at least one must have its own");
        }
        int owners = layers - shared;

        int globalSize = headSize(h, "");
        int slidingSize = headSize(h, "_swa");
        RopeSpec globalRope = Ropes.halves(globalFrequencies(h));
        RopeSpec slidingRope = Ropes.halves(Ropes.plain(
                h.even("rope.dimension_count_swa", slidingSize), h.positive("rope.freq_base_swa", 10_000f)));

        List<LayerSpec> specs = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            boolean owns = i < owners;
            Set<Gqa.Part> parts = EnumSet.of(Gqa.Part.HEAD_NORMS, Gqa.Part.VALUE_NORM);
            if (owns && valuesFromKeys(h, i, sliding[i])) {
                parts.add(Gqa.Part.VALUES_FROM_KEYS);
            }
            Set<LayerSpec.Part> layerParts = EnumSet.of(LayerSpec.Part.POST_NORMS);
            if (h.hasTensor("blk." + i + ".layer_output_scale.weight")) {
                layerParts.add(LayerSpec.Part.OUTPUT_SCALE);
            }
            AttentionSpec attention = new Gqa(
                    heads[i],
                    kvHeads[i],
                    sliding[i] ? slidingSize : globalSize,
                    sliding[i] ? window : 0,
                    1f,
                    sliding[i] ? slidingRope : globalRope,
                    parts,
                    owns ? OptionalInt.empty() : OptionalInt.of(lastOwner(h, sliding, owners, i)));
            specs.add(new LayerSpec(i, attention, feedForward(h, ffn[i]), LayerSpec.FFN_NORM, layerParts));
        }
        return new ModelSpec(
                name(),
                h.name(),
                embedding,
                h.vocabulary(),
                h.width("context_length"),
                h.positive("attention.layer_norm_rms_epsilon"),
                (float) Math.sqrt(embedding),
                h.real("final_logit_softcapping", DEFAULT_SOFTCAP),
                h.width("embedding_length_per_layer_input", 0),
                specs);
    }

    private static int headSize(Hyper h, String suffix) {
        int size = h.width("attention.key_length" + suffix);
        int values = h.width("attention.value_length" + suffix, size);
        if (values != size) {
            throw h.fault("keys of " + size + " and values of " + values + " differ; Gemma 4 has them equal");
        }
        return size;
    }

    /// Global layers: the exponent spans the whole head, and `rope_freqs` stops most pairs by dividing by 1e30.
    private static float[] globalFrequencies(Hyper h) {
        int dims = h.even("rope.dimension_count", h.width("attention.key_length"));
        float[] plain = Ropes.plain(dims, h.positive("rope.freq_base"));
        return Ropes.divided(plain, h.vector("rope_freqs.weight", dims / 2));
    }

    /// Global layers of the larger models have no value projection; a sliding layer without one is incomplete.
    private static boolean valuesFromKeys(Hyper h, int layer, boolean sliding) {
        String projection = "blk." + layer + ".attn_v.weight";
        if (sliding && !h.hasTensor(projection)) {
            throw h.fault("the tensor " + projection + " is missing; the file is damaged or of an unknown kind");
        }
        return !h.hasTensor(projection);
    }

    private static int lastOwner(Hyper h, boolean[] sliding, int owners, int layer) {
        for (int i = owners - 1; i >= 0; i--) {
            if (sliding[i] == sliding[layer]) {
                return i;
            }
        }
        throw h.fault("layer " + layer + " shares keys and values, but no layer of its kind has any");
    }

    private static FeedForwardSpec feedForward(Hyper h, int width) {
        Dense dense = new Dense(width, Activation.GELU_TANH);
        int experts = h.count("expert_count", 0);
        if (experts == 0) {
            return dense;
        }
        return new Moe(
                RouterSpec.softmaxTopK(experts, h.count("expert_used_count")),
                h.width("expert_feed_forward_length"),
                Activation.GELU_TANH,
                Optional.of(dense),
                "",
                Set.of(Moe.Part.BRANCH_NORMS, Moe.Part.ROUTER_NORM, Moe.Part.EXPERT_SCALE));
    }
}
