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
        for (Block block : weights.blocks()) {
            layer(a, block, caches, tap);
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

    private void layer(Intermediates a, Block b, Caches caches, Tap tap) {
        int i = b.spec().index();
        ops.rmsNorm(a.h, a.x, b.attnNorm(), spec.normEps());
        tap.see("attn_norm", i, a.h);
        switch (b.attention()) {
            case GqaWeights w -> attention(a, requireNonNull(a.layers.get(i).gqa), b, w, caches.of(i), tap);
            case MlaWeights w -> latentAttention(a, requireNonNull(a.layers.get(i).mla), b, w, caches.of(i), tap);
        }
        addBranch(a, b.postAttnNorm());
        tap.see("attn_residual", i, a.x);

        ops.rmsNorm(a.h, a.x, b.ffnNorm(), spec.normEps());
        tap.see("ffn_norm", i, a.h);
        switch (b.feedForward()) {
            case DenseWeights w -> dense(a, requireNonNull(a.layers.get(i).dense), w);
            case MoeWeights w -> experts(a, b, w, tap);
        }
        tap.see("ffn_out", i, a.branch);
        addBranch(a, b.postFfnNorm());

        if (b.perLayer() != null) {
            addPerLayer(a, i, b.perLayer());
        }
        if (b.outputScale() != 1f) {
            ops.scale(a.x, b.outputScale());
        }
        tap.see("l_out", i, a.x);
    }

    /// `x += branch`, normed first where the model says so.
    private void addBranch(Intermediates a, @Nullable Weight postNorm) {
        if (postNorm != null) {
            ops.rmsNorm(a.branch, a.branch, postNorm, spec.normEps());
        }
        ops.add(a.x, a.branch);
    }

    private void attention(Intermediates a, GqaRows r, Block b, GqaWeights w, KvCache cache, Tap tap) {
        Gqa s = (Gqa) b.spec().attention();
        ops.matmulAll(r.projected, w.projections(), a.h);
        addBias(r.q, w.q());
        if (w.qNorm() != null) {
            ops.rmsNorm(r.qHeads, r.qHeads, w.qNorm(), spec.normEps());
        }
        ops.rope(r.qRope, a.positions, w.rope());
        tap.see("Qcur", b.spec().index(), r.q);
        if (w.k() != null) {
            addBias(r.k, w.k());
            if (w.v() != null) {
                addBias(r.v, w.v());
            } else {
                ops.copy(r.v, r.k);
            }
            if (w.kNorm() != null) {
                ops.rmsNorm(r.kHeads, r.kHeads, w.kNorm(), spec.normEps());
            }
            ops.rope(r.kRope, a.positions, w.rope());
            if (s.has(Gqa.Part.VALUE_NORM)) {
                ops.rmsNorm(r.vHeads, r.vHeads, null, spec.normEps());
            }
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
        Rows queryInput = a.h;
        if (w.qDown() != null && w.qDownNorm() != null && r.qDown != null) {
            ops.matmul(r.qDown, w.qDown(), a.h);
            ops.rmsNorm(r.qDown, r.qDown, w.qDownNorm(), spec.normEps());
            queryInput = r.qDown;
        }
        ops.matmul(r.q, w.q(), queryInput);
        ops.rope(r.qRope, a.positions, w.rope());
        ops.matmulPerHead(r.absorbedLatent, w.kUp(), r.qNope);
        ops.copy(r.absorbedRope, r.qRope);
        tap.see("Qcur", b.spec().index(), r.absorbed);

        ops.matmul(r.kv, w.kvDown(), a.h);
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
        Rows routerInput = a.h;
        if (w.routerNorm() != null) {
            ops.rmsNorm(a.h2, a.x, w.routerNorm(), spec.normEps());
            routerInput = a.h2;
        }
        project(r.logits, w.logits(), routerInput);
        tap.see("ffn_moe_logits", i, r.logits);
        ops.route(r.ids, r.weights, r.logits, w.router());
        tap.see("ffn_moe_weights", i, r.weights);

        Rows expertInput = a.h;
        if (w.expertNorm() != null) {
            ops.rmsNorm(a.h2, a.x, w.expertNorm(), spec.normEps());
            expertInput = a.h2;
        }
        Rows out = w.beside() == null ? a.branch : a.branch2;
        ops.experts(out, w.experts(), expertInput, r.ids, r.weights);
        if (w.postExpertNorm() != null) {
            ops.rmsNorm(out, out, w.postExpertNorm(), spec.normEps());
        }
        tap.see("ffn_moe_out", i, out);
        if (w.beside() != null) {
            dense(a, requireNonNull(a.layers.get(i).dense), w.beside());
            if (w.postBesideNorm() != null) {
                ops.rmsNorm(a.branch, a.branch, w.postBesideNorm(), spec.normEps());
            }
            tap.see("ffn_shexp", i, a.branch);
            ops.add(a.branch, a.branch2);
        }
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

    /// `x += norm(projection(gelu(gate x) * perLayer[layer]))`.
    private void addPerLayer(Intermediates a, int layer, PerLayer w) {
        Rows gate = requireNonNull(a.layers.get(layer).perLayerGate);
        Rows own = requireNonNull(a.layers.get(layer).perLayerInput);
        ops.matmul(gate, w.gate(), a.x);
        ops.glu(gate, gate, own, Activation.GELU_TANH);
        ops.matmul(a.branch, w.projection(), gate);
        addBranch(a, w.postNorm());
    }
}
