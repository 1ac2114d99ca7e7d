package dev.panamoe.model;

import dev.panamoe.spec.AttentionSpec;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import java.util.ArrayList;
import java.util.List;

/// The buffers of a forward pass, each big enough for the widest layer; allocated once for a number of rows.
final class Scratch implements AutoCloseable {
    private final List<Buffer> all = new ArrayList<>();
    private final ModelSpec spec;

    final Buffer tokens;
    final Buffer positions;
    final Buffer x;
    final Buffer h;
    final Buffer h2;
    final Buffer branch;
    final Buffer branch2;
    final Buffer perLayer;
    final Buffer perLayerProjected;
    final Buffer perLayerGate;
    final Buffer qDown;
    final Buffer q;
    final Buffer k;
    final Buffer v;
    final Buffer absorbed;
    final Buffer mixed;
    final Buffer attention;
    final Buffer gate;
    final Buffer up;
    final Buffer routerLogits;
    final Buffer expertIds;
    final Buffer expertWeights;
    final Buffer logits;
    final int logitRows;

    private Intermediates forOneRow;
    private Intermediates forMany;

    /// @param maxRows most rows of one forward pass
    /// @param logitRows most rows whose logits are computed at once
    Scratch(ModelSpec spec, Device device, int maxRows, int logitRows) {
        this.spec = spec;
        this.logitRows = logitRows;
        Widths w = new Widths(spec);
        int d = spec.embedding();
        tokens = add(device, Buffer.Kind.I32, maxRows);
        positions = add(device, Buffer.Kind.I32, maxRows);
        x = floats(device, maxRows, d);
        h = floats(device, maxRows, d);
        h2 = floats(device, maxRows, d);
        branch = floats(device, maxRows, d);
        branch2 = floats(device, maxRows, d);
        int perLayerWidth = spec.perLayerInput() * spec.layers().size();
        perLayer = floats(device, maxRows, perLayerWidth);
        perLayerProjected = floats(device, maxRows, perLayerWidth);
        perLayerGate = floats(device, maxRows, spec.perLayerInput());
        qDown = floats(device, maxRows, w.queryRank);
        q = floats(device, maxRows, w.query);
        k = floats(device, maxRows, w.key);
        v = floats(device, maxRows, w.value);
        absorbed = floats(device, maxRows, w.absorbed);
        mixed = floats(device, maxRows, w.mixed);
        attention = floats(device, maxRows, w.attention);
        gate = floats(device, maxRows, w.dense);
        up = floats(device, maxRows, w.dense);
        routerLogits = floats(device, maxRows, w.experts);
        expertIds = add(device, Buffer.Kind.I32, (long) maxRows * w.used);
        expertWeights = floats(device, maxRows, w.used);
        logits = floats(device, logitRows, spec.vocabulary());
        forOneRow = new Intermediates(this, spec, 1);
        forMany = forOneRow;
    }

    private Buffer floats(Device device, int rows, int width) {
        return add(device, Buffer.Kind.F32, (long) rows * width);
    }

    private Buffer add(Device device, Buffer.Kind kind, long size) {
        Buffer b = device.allocate(kind, size);
        all.add(b);
        return b;
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

    /// Floats that one row takes, without logits.
    static long floatsPerRow(ModelSpec spec) {
        Widths w = new Widths(spec);
        long perLayer = spec.perLayerInput() * (2L * spec.layers().size() + 1);
        return 5L * spec.embedding()
                + perLayer
                + w.queryRank
                + w.query
                + w.key
                + w.value
                + w.absorbed
                + w.mixed
                + w.attention
                + 2L * w.dense
                + w.experts
                + 2L * w.used
                + w.expertHidden;
    }

    @Override
    public void close() {
        all.forEach(Buffer::close);
    }

    /// The widest of each over all layers, in values.
    private static final class Widths {
        private int queryRank;
        private int query;
        private int key;
        private int value;
        private int absorbed;
        private int mixed;
        private int attention;
        private int dense;
        private int experts;
        private int used;
        /// What backends need inside the experts operation.
        private long expertHidden;

        private Widths(ModelSpec spec) {
            for (LayerSpec layer : spec.layers()) {
                AttentionSpec a = layer.attention();
                query = Math.max(query, a.queryWidth());
                attention = Math.max(attention, a.outputWidth());
                switch (a) {
                    case Gqa gqa -> {
                        key = Math.max(key, gqa.keyWidth());
                        value = Math.max(value, gqa.keyWidth());
                    }
                    case Mla mla -> {
                        queryRank = Math.max(queryRank, mla.queryRank());
                        key = Math.max(key, mla.latentSize());
                        absorbed = Math.max(absorbed, mla.heads() * mla.latentSize());
                        mixed = Math.max(mixed, mla.heads() * mla.rank());
                    }
                }
                dense = Math.max(
                        dense,
                        Intermediates.denseOf(layer.feedForward())
                                .map(Dense::width)
                                .orElse(0));
                if (layer.feedForward() instanceof Moe moe) {
                    experts = Math.max(experts, moe.router().experts());
                    used = Math.max(used, moe.router().used());
                    expertHidden =
                            Math.max(expertHidden, moe.router().used() * (2L * moe.width() + 2L * spec.embedding()));
                }
            }
        }
    }
}
