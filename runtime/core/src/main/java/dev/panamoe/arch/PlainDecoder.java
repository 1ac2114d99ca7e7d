package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RopeSpec.Pairing;
import dev.panamoe.spec.RouterSpec;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What plain decoders share: grouped-query attention over rotated heads, then a feed-forward that is dense or made of
/// experts, each with a norm before it. The file of an architecture puts its layers together from these parts and says
/// what they have beyond them.
final class PlainDecoder {
    /// Tensors that some family has in a layer and that change the result.
    private static final List<String> OPTIONAL_TENSORS = List.of(
            "attn_q_norm.weight",
            "attn_k_norm.weight",
            "attn_sub_norm.weight",
            "attn_sinks.weight",
            "post_attention_norm.weight",
            "post_ffw_norm.weight",
            "ffn_sub_norm.weight",
            "ffn_gate.bias",
            "ffn_up.bias",
            "ffn_down.bias",
            "ffn_gate_inp.bias",
            "exp_probs_b.bias",
            "ffn_gate_exps.bias",
            "ffn_up_exps.bias",
            "ffn_down_exps.bias",
            "ffn_gate_shexp.weight");

    private final Hyper h;
    private final String architecture;
    private final int layers;
    private final int embedding;
    private final int[] heads;
    private final int[] kvHeads;
    private final int headSize;
    private final float scale;
    private final RopeSpec rope;

    /// @param roundYarnBounds see {@link Ropes#yarn}
    PlainDecoder(GgufFile file, String architecture, Pairing pairing, boolean roundYarnBounds) {
        this.h = new Hyper(file, architecture);
        this.architecture = architecture;
        this.layers = h.count("block_count");
        this.embedding = h.width("embedding_length");
        this.heads = h.widths("attention.head_count", layers);
        this.kvHeads = h.has("attention.head_count_kv") ? h.widths("attention.head_count_kv", layers) : heads;
        this.headSize = headSize();
        this.scale = h.has("attention.scale") ? h.positive("attention.scale") : (float) (1 / Math.sqrt(headSize));
        this.rope = rope(pairing, roundYarnBounds);
        requirePlain();
    }

    /// The metadata, for what the architecture reads itself.
    Hyper hyper() {
        return h;
    }

    int layers() {
        return layers;
    }

    private int headSize() {
        if (!h.has("attention.key_length") && embedding % heads[0] != 0) {
            throw h.fault("attention.head_count", heads[0], "a divisor of the embedding length " + embedding);
        }
        int size = h.has("attention.key_length") ? h.width("attention.key_length") : embedding / heads[0];
        int values = h.width("attention.value_length", size);
        if (values != size) {
            throw h.fault("attention.value_length", values, size + ", the size of the keys");
        }
        return size;
    }

    /// `rope.scaling.*` and the divisors of `rope_freqs`. As in llama.cpp, a factor without a type is a linear one.
    private RopeSpec rope(Pairing pairing, boolean roundYarnBounds) {
        int dims = h.even("rope.dimension_count", headSize);
        float base = h.positive("rope.freq_base", 10_000f);
        double amplitude = h.positive("rope.scaling.attn_factor", 1f);
        String scaling = h.text("rope.scaling.type", "linear");
        float[] frequencies = switch (scaling) {
            case "none" -> Ropes.plain(dims, base);
            case "linear" ->
                Ropes.linear(dims, base, h.positive("rope.scaling.factor", h.positive("rope.scale_linear", 1f)));
            case "yarn" -> {
                amplitude *= Ropes.yarnMagnitude(h.positive("rope.scaling.factor"), 1);
                yield Ropes.yarn(h, dims, base, roundYarnBounds);
            }
            default -> throw h.fault("rope.scaling.type", scaling, "none, linear or yarn");
        };
        if (h.hasTensor("rope_freqs.weight")) {
            frequencies = Ropes.divided(frequencies, h.vector("rope_freqs.weight", dims / 2));
        }
        return new RopeSpec(pairing, frequencies, (float) amplitude);
    }

    /// Refuses what other families of models put into such layers, and what would change the result if it were ignored.
    private void requirePlain() {
        h.only("nextn_predict_layers", 0);
        h.only("rope.scaling.yarn_ext_factor", 1);
        h.only("rope.scaling.yarn_attn_factor", 1);
        h.only("rope.scaling.yarn_log_multiplier", 0);
        h.only("attn_logit_softcapping", 0);
        h.only("final_logit_softcapping", 0);
        h.only("embedding_scale", 1);
        h.only("residual_scale", 1);
        h.only("logit_scale", 1);
        h.only("expert_weights_scale", 1);
        h.only("expert_group_count", 0, 1);
        h.only("expert_shared_count", 0);
        h.only("expert_shared_feed_forward_length", 0);
        // 1 is softmax over all experts, 3 over the chosen, which comes to the same when the weights are normed.
        h.only("expert_gating_func", 0, 1, 3);
        if (!h.flag("expert_weights_norm", true)) {
            throw h.fault("expert_weights_norm", "false", "true");
        }
    }

    ModelSpec model(IntFunction<LayerSpec> layer) {
        return new ModelSpec(
                architecture,
                h.name(),
                embedding,
                h.vocabulary(),
                h.width("context_length"),
                h.positive("attention.layer_norm_rms_epsilon"),
                1f,
                0f,
                0,
                IntStream.range(0, layers)
                        .mapToObj(layer)
                        .peek(this::requireAllRead)
                        .toList());
    }

    private void requireAllRead(LayerSpec layer) {
        for (String tensor : OPTIONAL_TENSORS) {
            String name = "blk." + layer.index() + "." + tensor;
            if (h.hasTensor(name) && !reads(layer, tensor)) {
                throw h.fault("the tensor " + name + " is not supported in the architecture " + architecture
                        + "; use a file of the published model, converted with a current converter");
            }
        }
    }

    private static boolean reads(LayerSpec layer, String tensor) {
        Gqa attention = (Gqa) layer.attention();
        Set<Moe.Part> moe = layer.feedForward() instanceof Moe m ? m.parts() : Set.of();
        return switch (tensor) {
            case "attn_q_norm.weight", "attn_k_norm.weight" -> attention.has(Gqa.Part.HEAD_NORMS);
            case "attn_sinks.weight" -> attention.has(Gqa.Part.SINKS);
            case "ffn_gate_inp.bias" -> moe.contains(Moe.Part.ROUTER_BIAS);
            case "ffn_gate_exps.bias", "ffn_up_exps.bias", "ffn_down_exps.bias" -> moe.contains(Moe.Part.EXPERT_BIASES);
            default -> tensor.equals(layer.ffnNorm() + ".weight");
        };
    }

    /// @param window 0 = everything before
    /// @param parts what the model has; biases of the projections are found by themselves as well
    Gqa attention(int layer, int window, Set<Gqa.Part> parts) {
        Set<Gqa.Part> all = EnumSet.noneOf(Gqa.Part.class);
        all.addAll(parts);
        // With one of them the loader asks for all three.
        if (Stream.of("attn_q", "attn_k", "attn_v").anyMatch(p -> h.hasTensor("blk." + layer + "." + p + ".bias"))) {
            all.add(Gqa.Part.QKV_BIAS);
        }
        if (h.hasTensor("blk." + layer + ".attn_output.bias")) {
            all.add(Gqa.Part.OUTPUT_BIAS);
        }
        return new Gqa(heads[layer], kvHeads[layer], headSize, window, scale, rope, all, OptionalInt.empty());
    }

    Dense dense(int layer) {
        return new Dense(h.widths("feed_forward_length", layers)[layer], Activation.SILU);
    }

    /// Experts chosen by {@link RouterSpec#softmaxTopK}.
    ///
    /// @param width of one expert
    Moe experts(int width, Activation activation, Set<Moe.Part> parts) {
        RouterSpec router = RouterSpec.softmaxTopK(h.count("expert_count"), h.count("expert_used_count"));
        return new Moe(router, width, activation, Optional.empty(), "", parts);
    }
}
