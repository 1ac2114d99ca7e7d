package dev.panamoe.model;

import dev.panamoe.model.Scratch.Part;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.FeedForwardSpec;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The intermediates of a forward pass over `n` rows, as views of {@link Scratch}. All views are made once, so that a
/// step creates none. d = embedding.
final class Intermediates {
    final int n;
    /// (n, 1)
    final Ids tokens;
    /// (n, 1)
    final Ids positions;
    /// (n, d): the residual stream
    final Rows x;
    /// (n, d): its norm
    final Rows h;
    /// (n, d): what a branch adds to it
    final Rows branch;
    /// (n, d): a second branch beside it
    final Rows branch2;
    /// (n, d): input of the router, where it has a norm of its own
    final Rows routerNormed;
    /// (n, d): input of the experts, where they have a norm of their own
    final Rows expertNormed;
    /// `h`: what is normed before attention
    final List<Rows> attnNormed;
    /// (n, L * W): per-layer embeddings
    final @Nullable Rows perLayer;
    /// (n, L * W): the projected residual that joins them
    final @Nullable Rows perLayerProjected;
    /// (n * L, W): the same, a row a layer
    final @Nullable Rows perLayerSlices;

    final List<Layer> layers = new ArrayList<>();

    Intermediates(Scratch s, ModelSpec spec, int n) {
        this.n = n;
        int d = spec.embedding();
        tokens = Ids.of(s.of(Part.TOKENS), n, 1);
        positions = Ids.of(s.of(Part.POSITIONS), n, 1);
        x = Rows.of(s.of(Part.X), n, d);
        h = Rows.of(s.of(Part.H), n, d);
        branch = Rows.of(s.of(Part.BRANCH), n, d);
        branch2 = Rows.of(s.of(Part.BRANCH2), n, d);
        routerNormed = Rows.of(s.of(Part.ROUTER_NORMED), n, d);
        expertNormed = Rows.of(s.of(Part.EXPERT_NORMED), n, d);
        attnNormed = List.of(h);
        int all = spec.perLayerInput() * spec.layers().size();
        perLayer = all == 0 ? null : Rows.of(s.of(Part.PER_LAYER), n, all);
        perLayerProjected = all == 0 ? null : Rows.of(s.of(Part.PER_LAYER_PROJECTED), n, all);
        perLayerSlices = perLayerProjected == null
                ? null
                : perLayerProjected.split(spec.layers().size());
        for (LayerSpec layer : spec.layers()) {
            layers.add(new Layer(s, spec, layer, this));
        }
    }

    /// The views that depend on a layer's sizes.
    static final class Layer {
        final @Nullable GqaRows gqa;
        final @Nullable MlaRows mla;
        final @Nullable FfnRows dense;
        final @Nullable RouterRows router;
        /// `h`, then the inputs of the router and of the experts where they have norms of their own
        final List<Rows> ffnNormed;
        /// (n, W): the layer's part of the per-layer embeddings, and its gate
        final @Nullable Rows perLayerInput;
        final @Nullable Rows perLayerGate;

        Layer(Scratch s, ModelSpec spec, LayerSpec layer, Intermediates all) {
            int n = all.n;
            Rows perLayer = all.perLayer;
            gqa = layer.attention() instanceof Gqa a ? new GqaRows(s, a, n) : null;
            mla = layer.attention() instanceof Mla a ? new MlaRows(s, a, n) : null;
            dense = denseOf(layer.feedForward()).map(f -> new FfnRows(s, f, n)).orElse(null);
            router = layer.feedForward() instanceof Moe f ? new RouterRows(s, f, all) : null;
            ffnNormed = router == null
                    ? List.of(all.h)
                    : Stream.of(all.h, router.input, router.expertInput)
                            .distinct()
                            .toList();
            int w = spec.perLayerInput();
            perLayerInput = perLayer == null ? null : perLayer.columns(layer.index() * w, w);
            perLayerGate = perLayer == null ? null : Rows.of(s.of(Part.PER_LAYER_GATE), n, w);
        }
    }

    /// The dense feed-forward of a layer: its only one, or the one beside experts.
    static Optional<Dense> denseOf(FeedForwardSpec f) {
        return switch (f) {
            case Dense dense -> Optional.of(dense);
            case Moe moe -> moe.beside();
        };
    }

    /// Grouped-query attention. (n, heads * headSize), and queries as a row a head.
    static final class GqaRows {
        final Rows q;
        final Rows qHeads;
        final Rows k;
        final Rows v;
        /// q, k, v
        final List<Rows> projected;
        final List<HeadRows> heads;
        final Rows out;
        final Rows outHeads;

        GqaRows(Scratch s, Gqa a, int n) {
            q = Rows.of(s.of(Part.Q), n, a.queryWidth());
            k = Rows.of(s.of(Part.K), n, a.keyWidth());
            v = Rows.of(s.of(Part.V), n, a.keyWidth());
            projected = List.of(q, k, v);
            int dims = a.rope().dims();
            heads = List.of(
                    HeadRows.of(q, a.heads(), dims),
                    HeadRows.of(k, a.kvHeads(), dims),
                    HeadRows.of(v, a.kvHeads(), dims));
            qHeads = heads.getFirst().heads();
            out = Rows.of(s.of(Part.ATTENTION), n, a.outputWidth());
            outHeads = out.split(a.heads());
        }
    }

    /// Latent attention. Rows of heads are (n * heads, …).
    static final class MlaRows {
        /// (n, queryRank)
        final @Nullable Rows qDown;

        final Rows q;
        /// (n * heads, nopeSize), (n * heads, ropeSize)
        final Rows qNope;
        final Rows qRope;
        /// (n * heads, rank + ropeSize): queries in the latent space, and its two parts
        final Rows absorbed;
        final Rows absorbedLatent;
        final Rows absorbedRope;
        /// (n, rank + ropeSize): what is cached, and its two parts
        final Rows kv;
        final Rows latent;
        final Rows kRope;
        /// The queries, compressed or whole, and `kv`
        final List<Rows> projected;
        /// (n * heads, rank): mixed latents
        final Rows mixed;
        /// (n * heads, valueSize), and the same as (n, heads * valueSize)
        final Rows outHeads;
        final Rows out;

        MlaRows(Scratch s, Mla a, int n) {
            qDown = a.queryRank() == 0 ? null : Rows.of(s.of(Part.Q_DOWN), n, a.queryRank());
            q = Rows.of(s.of(Part.Q), n, a.queryWidth());
            Rows heads = q.split(a.heads());
            qNope = heads.columns(0, a.nopeSize());
            qRope = heads.columns(a.nopeSize(), a.ropeSize());
            absorbed = Rows.of(s.of(Part.ABSORBED), n * a.heads(), a.latentSize());
            absorbedLatent = absorbed.columns(0, a.rank());
            absorbedRope = absorbed.columns(a.rank(), a.ropeSize());
            kv = Rows.of(s.of(Part.K), n, a.latentSize());
            latent = kv.columns(0, a.rank());
            kRope = kv.columns(a.rank(), a.ropeSize());
            projected = List.of(qDown == null ? q : qDown, kv);
            mixed = Rows.of(s.of(Part.MIXED), n * a.heads(), a.rank());
            out = Rows.of(s.of(Part.ATTENTION), n, a.outputWidth());
            outHeads = out.split(a.heads());
        }
    }

    /// (n, width) of a dense feed-forward.
    static final class FfnRows {
        final Rows gate;
        final Rows up;

        FfnRows(Scratch s, Dense f, int n) {
            gate = Rows.of(s.of(Part.GATE), n, f.width());
            up = Rows.of(s.of(Part.UP), n, f.width());
        }
    }

    /// The choice of experts: logits (n, experts), ids and weights (n, used); what the router and the experts read: (n,
    /// d).
    static final class RouterRows {
        final Rows input;
        final Rows expertInput;
        final Rows logits;
        final Ids ids;
        final Rows weights;

        RouterRows(Scratch s, Moe f, Intermediates a) {
            int n = a.n;
            input = f.has(Moe.Part.ROUTER_NORM) ? a.routerNormed : a.h;
            expertInput = f.has(Moe.Part.BRANCH_NORMS) ? a.expertNormed : a.h;
            logits = Rows.of(s.of(Part.ROUTER_LOGITS), n, f.router().experts());
            ids = Ids.of(s.of(Part.EXPERT_IDS), n, f.router().used());
            weights = Rows.of(s.of(Part.EXPERT_WEIGHTS), n, f.router().used());
        }
    }
}
