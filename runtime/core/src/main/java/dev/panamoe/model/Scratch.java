package dev.panamoe.model;

import static java.util.Objects.requireNonNull;

import dev.panamoe.spec.AttentionSpec;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Ops;
import java.util.EnumMap;
import java.util.Map;

/// The buffers of a forward pass, each big enough for the widest layer; allocated once for a number of rows.
final class Scratch implements AutoCloseable {
    /// What a buffer holds; {@link Intermediates} says of what shape.
    enum Part {
        TOKENS(Buffer.Kind.I32),
        POSITIONS(Buffer.Kind.I32),
        X,
        H,
        ROUTER_NORMED,
        EXPERT_NORMED,
        BRANCH,
        BRANCH2,
        PER_LAYER,
        PER_LAYER_PROJECTED,
        PER_LAYER_GATE,
        Q_DOWN,
        Q,
        K,
        V,
        ABSORBED,
        MIXED,
        ATTENTION,
        GATE,
        UP,
        ROUTER_LOGITS,
        EXPERT_IDS(Buffer.Kind.I32),
        EXPERT_WEIGHTS;

        private final Buffer.Kind kind;

        Part() {
            this(Buffer.Kind.F32);
        }

        Part(Buffer.Kind kind) {
            this.kind = kind;
        }
    }

    private final Map<Part, Buffer> buffers = new EnumMap<>(Part.class);
    private final ModelSpec spec;
    final Buffer logits;
    final int logitRows;
    /// Of {@link Ops#topK}, for one row.
    final Buffer topIds;

    final Buffer topValues;

    private Intermediates forOneRow;
    private Intermediates forMany;

    /// @param maxRows most rows of one forward pass
    /// @param logitRows most rows whose logits are computed at once
    Scratch(ModelSpec spec, Device device, int maxRows, int logitRows) {
        this.spec = spec;
        this.logitRows = logitRows;
        widths(spec).forEach((p, width) -> buffers.put(p, device.allocate(p.kind, (long) maxRows * width)));
        logits = device.allocate(Buffer.Kind.F32, (long) logitRows * spec.vocabulary());
        topIds = device.allocate(Buffer.Kind.I32, Ops.MAX_TOP_K);
        topValues = device.allocate(Buffer.Kind.F32, Ops.MAX_TOP_K);
        forOneRow = new Intermediates(this, spec, 1);
        forMany = forOneRow;
    }

    Buffer of(Part part) {
        return requireNonNull(buffers.get(part));
    }

    /// Views for `n` rows; those for one row and for the latest other number are kept.
    Intermediates rows(int n) {
        if (n == 1) {
            return forOneRow;
        }
        if (forMany.n != n) {
            forMany = new Intermediates(this, spec, n);
        }
        return forMany;
    }

    /// Values of 4 bytes that one row takes, without logits but with what backends need inside the experts operation.
    static long valuesPerRow(ModelSpec spec) {
        long values = widths(spec).values().stream().mapToLong(w -> w).sum();
        return values
                + spec.layers().stream()
                        .mapToLong(l -> l.feedForward() instanceof Moe f
                                ? f.router().used() * (2L * f.width() + 2L * spec.embedding())
                                : 0)
                        .max()
                        .orElse(0);
    }

    /// Values of one row of each, in the layer where it is widest.
    private static Map<Part, Integer> widths(ModelSpec spec) {
        Map<Part, Integer> w = new EnumMap<>(Part.class);
        for (Part p : Part.values()) {
            w.put(p, 0);
        }
        w.put(Part.TOKENS, 1);
        w.put(Part.POSITIONS, 1);
        for (Part p : new Part[] {Part.X, Part.H, Part.ROUTER_NORMED, Part.EXPERT_NORMED, Part.BRANCH, Part.BRANCH2}) {
            w.put(p, spec.embedding());
        }
        w.put(Part.PER_LAYER, spec.perLayerInput() * spec.layers().size());
        w.put(Part.PER_LAYER_PROJECTED, spec.perLayerInput() * spec.layers().size());
        w.put(Part.PER_LAYER_GATE, spec.perLayerInput());
        for (LayerSpec layer : spec.layers()) {
            AttentionSpec a = layer.attention();
            w.merge(Part.Q, a.queryWidth(), Math::max);
            w.merge(Part.ATTENTION, a.outputWidth(), Math::max);
            switch (a) {
                case Gqa gqa -> {
                    w.merge(Part.K, gqa.keyWidth(), Math::max);
                    w.merge(Part.V, gqa.keyWidth(), Math::max);
                }
                case Mla mla -> {
                    w.merge(Part.Q_DOWN, mla.queryRank(), Math::max);
                    w.merge(Part.K, mla.latentSize(), Math::max);
                    w.merge(Part.ABSORBED, mla.heads() * mla.latentSize(), Math::max);
                    w.merge(Part.MIXED, mla.heads() * mla.rank(), Math::max);
                }
            }
            Intermediates.denseOf(layer.feedForward()).ifPresent(f -> {
                w.merge(Part.GATE, f.width(), Math::max);
                w.merge(Part.UP, f.width(), Math::max);
            });
            if (layer.feedForward() instanceof Moe f) {
                w.merge(Part.ROUTER_LOGITS, f.router().experts(), Math::max);
                w.merge(Part.EXPERT_IDS, f.router().used(), Math::max);
                w.merge(Part.EXPERT_WEIGHTS, f.router().used(), Math::max);
            }
        }
        return w;
    }

    @Override
    public void close() {
        buffers.values().forEach(Buffer::close);
        logits.close();
        topIds.close();
        topValues.close();
    }
}
