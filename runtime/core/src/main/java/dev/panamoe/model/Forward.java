package dev.panamoe.model;

import static java.util.Objects.requireNonNull;

import dev.panamoe.model.Block.DenseWeights;
import dev.panamoe.model.Block.GqaWeights;
import dev.panamoe.model.Block.Linear;
import dev.panamoe.model.Block.MlaWeights;
import dev.panamoe.model.Block.MoeWeights;
import dev.panamoe.model.Block.PerLayer;
import dev.panamoe.model.Intermediates.FfnRows;
import dev.panamoe.model.Intermediates.GqaRows;
import dev.panamoe.model.Intermediates.MlaRows;
import dev.panamoe.model.Intermediates.RouterRows;
import dev.panamoe.model.ModelWeights.PerLayerInputs;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The forward page: from token ids to logits, for every architecture, operation by operation. It reads what a layer is
/// from its specification and never asks which model this is. Rows are tokens; one row is decode, many are prefill.
final class Forward {
    private final ModelSpec spec;
    private final ModelWeights weights;
    private final Ops ops;

    Forward(ModelSpec spec, ModelWeights weights, Ops ops) {
        this.spec = spec;
        this.weights = weights;
        this.ops = ops;
    }

    /// All layers over the tokens and positions in `a`: leaves the residual stream in `a.x`.
    void run(Intermediates a, Caches caches, Tap tap) {
        ops.embed(a.x, weights.embedding(), a.tokens, spec.embeddingScale());
        tap.see("inp_embd", Tap.NO_LAYER, a.x);
        if (weights.perLayer() != null) {
            perLayerInputs(a, weights.perLayer());
        }
        List<Block> blocks = weights.blocks();
        ops.rmsNorm(a.h, a.x, blocks.getFirst().attnNorms().getFirst(), spec.normEps());
        for (int i = 0; i < blocks.size(); i++) {
            layer(a, blocks.get(i), i + 1 < blocks.size() ? blocks.get(i + 1).attnNorms() : List.of(), caches, tap);
        }
    }

    /// The output of the last norm, of rows `from` to `from + count - 1`.
    Rows norm(Intermediates a, int from, int count, Tap tap) {
        Rows h = a.h.rows(from, count);
        ops.rmsNorm(h, a.x.rows(from, count), weights.outputNorm(), spec.normEps());
        tap.see("result_norm", Tap.NO_LAYER, h);
        return h;
    }

    /// Logits of rows `from` to `from + logits.rows() - 1`.
    void logits(Intermediates a, int from, Rows logits, Tap tap) {
        ops.matmul(logits, weights.output(), norm(a, from, logits.rows(), tap));
        if (spec.logitSoftcap() > 0) {
            ops.softcap(logits, spec.logitSoftcap());
        }
        tap.see("result_output", Tap.NO_LAYER, logits);
    }

    /// See {@link Ops#topK}.
    void topK(Ids ids, Rows values, Rows logits) {
        ops.topK(ids, values, logits);
    }

    /// From `h`, the residual stream normed, to the same for the next layer.
    ///
    /// @param next of the next layer's norm before attention; empty behind the last layer
    private void layer(Intermediates a, Block b, List<Weight> next, Caches caches, Tap tap) {
        int i = b.spec().index();
        tap.see("attn_norm", i, a.h);
        switch (b.attention()) {
            case GqaWeights w -> attention(a, requireNonNull(a.layers.get(i).gqa), b, w, caches.of(i), tap);
            case MlaWeights w -> latentAttention(a, requireNonNull(a.layers.get(i).mla), b, w, caches.of(i), tap);
        }
        addBranch(a, b.postAttnNorm(), 1f, a.layers.get(i).ffnNormed, b.ffnNorms());
        tap.see("attn_residual", i, a.x);
        tap.see("ffn_norm", i, a.h);

        switch (b.feedForward()) {
            case DenseWeights w -> dense(a, requireNonNull(a.layers.get(i).dense), w);
            case MoeWeights w -> experts(a, b, w, tap);
        }
        tap.see("ffn_out", i, a.branch);
        Weight postNorm = b.postFfnNorm();
        if (b.perLayer() != null) {
            addBranch(a, postNorm, 1f, a.attnNormed, List.of());
            perLayer(a, i, b.perLayer());
            postNorm = b.perLayer().postNorm();
        }
        addBranch(a, postNorm, b.outputScale(), a.attnNormed, next);
        tap.see("l_out", i, a.x);
    }

    /// `x = (x + branch) * scale`, the branch normed first where the model says so, and the norms of `x`.
    private void addBranch(
            Intermediates a, @Nullable Weight postNorm, float scale, List<Rows> normed, List<Weight> norms) {
        ops.addRmsNorm(a.x, a.branch, postNorm, scale, normed, norms, spec.normEps());
    }

    private void attention(Intermediates a, GqaRows r, Block b, GqaWeights w, KvCache cache, Tap tap) {
        Gqa s = (Gqa) b.spec().attention();
        ops.matmulAll(r.projected, w.projections(), a.h);
        boolean ownsKeys = s.sharedFrom().isEmpty();
        if (ownsKeys && s.has(Gqa.Part.VALUES_FROM_KEYS)) {
            ops.copy(r.v, r.k);
        }
        ops.prepareHeads(r.heads, w.steps(), a.positions, spec.normEps());
        tap.see("Qcur", b.spec().index(), r.q);
        if (ownsKeys) {
            tap.see("Kcur", b.spec().index(), r.k);
            tap.see("Vcur", b.spec().index(), r.v);
            ops.kvAppend(cache, r.k, r.v, a.positions);
        }
        ops.attention(r.outHeads, r.qHeads, cache, a.positions, w.attention());
        tap.see("kqv_out", b.spec().index(), r.out);
        project(a.branch, w.output(), r.out);
        tap.see("attn_out", b.spec().index(), a.branch);
    }

    private void project(Rows y, Linear w, Rows x) {
        ops.matmul(y, w.weight(), x);
        addBias(y, w);
    }

    private void addBias(Rows y, Linear w) {
        if (w.bias() != null) {
            ops.addBias(y, w.bias());
        }
    }

    /// Latent attention in the absorbed form (DeepSeek-V2, arXiv 2405.04434, section 2.1): queries are taken into the
    /// latent space, so that all heads attend to the cached latents themselves.
    private void latentAttention(Intermediates a, MlaRows r, Block b, MlaWeights w, KvCache cache, Tap tap) {
        ops.matmulAll(r.projected, w.projections(), a.h);
        if (w.qUp() != null && r.qDown != null) {
            ops.rmsNorm(r.qDown, r.qDown, w.qDownNorm(), spec.normEps());
            ops.matmul(r.q, w.qUp(), r.qDown);
        }
        ops.rope(r.qRope, a.positions, w.rope());
        ops.matmulPerHead(r.absorbedLatent, w.kUp(), r.qNope);
        ops.copy(r.absorbedRope, r.qRope);
        tap.see("Qcur", b.spec().index(), r.absorbed);

        ops.rmsNorm(r.latent, r.latent, w.kvDownNorm(), spec.normEps());
        ops.rope(r.kRope, a.positions, w.rope());
        tap.see("Kcur", b.spec().index(), r.kv);
        ops.kvAppend(cache, r.kv, null, a.positions);

        ops.attention(r.mixed, r.absorbed, cache, a.positions, w.attention());
        ops.matmulPerHead(r.outHeads, w.vUp(), r.mixed);
        tap.see("kqv_out", b.spec().index(), r.out);
        ops.matmul(a.branch, w.output(), r.out);
        tap.see("attn_out", b.spec().index(), a.branch);
    }

    private void dense(Intermediates a, FfnRows r, DenseWeights w) {
        ops.gatedMatmul(r.gate, r.up, w.gate(), w.up(), a.h, w.activation());
        ops.matmul(a.branch, w.down(), r.gate);
    }

    /// The chosen experts, and the dense part beside them: `branch = [norm](dense(h)) + [norm](experts)`.
    private void experts(Intermediates a, Block b, MoeWeights w, Tap tap) {
        int i = b.spec().index();
        RouterRows r = requireNonNull(a.layers.get(i).router);
        // Normed together with `h`, before the tap saw `h`: a tap that writes to `h` must write to these as well.
        tap.see("ffn_router_in", i, r.input);
        tap.see("ffn_moe_in", i, r.expertInput);
        project(r.logits, w.logits(), r.input);
        tap.see("ffn_moe_logits", i, r.logits);
        ops.route(r.ids, r.weights, r.logits, w.router());
        tap.see("ffn_moe_weights", i, r.weights);

        if (w.beside() == null) {
            ops.experts(a.branch, w.experts(), r.expertInput, r.ids, r.weights);
            if (w.postExpertNorm() != null) {
                ops.rmsNorm(a.branch, a.branch, w.postExpertNorm(), spec.normEps());
            }
            tap.see("ffn_moe_out", i, a.branch);
            return;
        }
        ops.experts(a.branch2, w.experts(), r.expertInput, r.ids, r.weights);
        dense(a, requireNonNull(a.layers.get(i).dense), w.beside());
        if (w.postBesideNorm() != null) {
            ops.rmsNorm(a.branch, a.branch, w.postBesideNorm(), spec.normEps());
        }
        tap.see("ffn_shexp", i, a.branch);
        ops.addRmsNorm(a.branch, a.branch2, w.postExpertNorm(), 1f, List.of(), List.of(), spec.normEps());
        tap.see("ffn_moe_out", i, a.branch2);
    }

    /// Per-layer embeddings (Gemma 4 E2B, E4B), for all layers at once:
    /// `(norm(W x / sqrt(d)) + sqrt(width) * E[token]) / sqrt(2)`.
    private void perLayerInputs(Intermediates a, PerLayerInputs w) {
        int width = spec.perLayerInput();
        Rows out = requireNonNull(a.perLayer);
        Rows projected = requireNonNull(a.perLayerProjected);
        ops.embed(out, w.embedding(), a.tokens, (float) Math.sqrt(width));
        ops.matmul(projected, w.projection(), a.x);
        ops.scale(projected, (float) (1 / Math.sqrt(spec.embedding())));
        Rows slices = requireNonNull(a.perLayerSlices);
        ops.rmsNorm(slices, slices, w.norm(), spec.normEps());
        ops.add(out, projected);
        ops.scale(out, (float) Math.sqrt(0.5));
    }

    /// `branch = projection(gelu(gate x) * perLayer[layer])`.
    private void perLayer(Intermediates a, int layer, PerLayer w) {
        Rows gate = requireNonNull(a.layers.get(layer).perLayerGate);
        Rows own = requireNonNull(a.layers.get(layer).perLayerInput);
        ops.matmul(gate, w.gate(), a.x);
        ops.glu(gate, gate, own, Activation.GELU_TANH);
        ops.matmul(a.branch, w.projection(), gate);
    }
}
