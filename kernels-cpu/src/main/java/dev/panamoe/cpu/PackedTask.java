package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.util.Arrays;
import java.util.List;

/// Products of packed weights, one or several with the same rows of activations (q, k and v; gate and up), in one go:
/// activations are quantised once, then chunks of all weights are handed out. A chunk is some groups of sixteen rows of
/// one weight with all rows of activations, tile by tile.
final class PackedTask implements AutoCloseable {
    /// Bytes of weights of a chunk: small enough that the thread that comes last is not far behind, and that tiles find
    /// the weights in the level-2 cache; large enough that handing it out costs nothing beside it.
    private static final int CHUNK_BYTES = 64 * 1024;

    private final KernelSet kernels;
    private final Scratch[] scratch;
    private final WorkerPool pool;
    private final Panels panels;
    private final WorkerPool.Task quantisePass = this::quantise;
    private final WorkerPool.Task productPass = this::products;
    private final WorkerPool.Task gatedPass = this::gated;

    private PackedWeight[] weights = new PackedWeight[1];
    private float[][] ys = new float[1][];

    /// Where row `r` of the activations goes in the result of each weight, and where it comes from.
    private int[][] yAt = new int[1][0];

    private int[] xAt = new int[0];
    private float[] x = new float[0];
    private int tokens;

    /// Groups of a chunk of each weight, chunks of one of its slices, and the number of its first chunk.
    private int[] chunkGroups = new int[1];

    private int[] chunksPerSlice = new int[1];
    private int[] firstChunk = new int[2];
    private int parts;
    private Activation activation = Activation.SILU;

    PackedTask(KernelSet kernels, WorkerPool pool, Scratch[] scratch) {
        this.kernels = kernels;
        this.pool = pool;
        this.scratch = scratch;
        this.panels = new Panels(kernels);
    }

    /// Row `r` of `xs` with slice `r % slices`.
    void run(Rows y, Weight weight, Rows xs) {
        begin(1, (PackedWeight) weight, xs);
        add((PackedWeight) weight, y);
        run(xs);
    }

    /// The same rows with several weights of one slice each.
    void run(List<Rows> to, List<Weight> with, Rows xs) {
        begin(with.size(), (PackedWeight) with.getFirst(), xs);
        for (int i = 0; i < with.size(); i++) {
            add((PackedWeight) with.get(i), to.get(i));
        }
        run(xs);
    }

    /// `y = activation(gate x, up x)`: a chunk computes the same rows of both and the activation of them.
    void gated(Rows y, Rows scratchRows, PackedWeight gate, PackedWeight up, Rows xs, Activation how) {
        begin(2, gate, xs);
        add(gate, y);
        add(up, scratchRows);
        activation = how;
        quantise(xs);
        pool.run(chunksPerSlice[0], gatedPass);
    }

    private void begin(int count, PackedWeight first, Rows xs) {
        if (weights.length < count) {
            weights = Arrays.copyOf(weights, count);
            ys = Arrays.copyOf(ys, count);
            yAt = Arrays.copyOf(yAt, count);
            chunkGroups = new int[count];
            chunksPerSlice = new int[count];
            firstChunk = new int[count + 1];
        }
        parts = 0;
        panels.begin();
        x = HostBuffer.floats(xs);
        tokens = xs.rows() / first.slices();
        xAt = places(xAt, xs, first.slices());
    }

    private void add(PackedWeight w, Rows y) {
        panels.want(w, y.rows());
        weights[parts] = w;
        ys[parts] = HostBuffer.floats(y);
        yAt[parts] = places(yAt[parts] == null ? new int[0] : yAt[parts], y, w.slices());
        int forBalance = Math.max(1, w.groups() * w.slices() / (4 * pool.threads()));
        int bySize = (int) Math.max(1, CHUNK_BYTES / w.packed().groupBytes(w.cols()));
        // Kernels take two groups at a time.
        chunkGroups[parts] = Math.max(2, Math.min(bySize, forBalance) & -2);
        chunksPerSlice[parts] = Math.ceilDiv(w.groups(), chunkGroups[parts]);
        firstChunk[parts + 1] = firstChunk[parts] + chunksPerSlice[parts] * w.slices();
        parts++;
    }

    /// Rows sorted by slice.
    private int[] places(int[] at, Rows rows, int slices) {
        int[] places = Scratch.atLeast(at, rows.rows());
        for (int r = 0; r < rows.rows(); r++) {
            places[r % slices * tokens + r / slices] = rows.offset() + r * rows.stride();
        }
        return places;
    }

    private void run(Rows xs) {
        quantise(xs);
        pool.run(firstChunk[parts], productPass);
    }

    private void quantise(Rows xs) {
        pool.runLight(xs.rows(), xs.rows() * xs.cols(), quantisePass);
    }

    /// Row `i` of the rows sorted by slice; each slice has its own tiles.
    private void quantise(int i, int thread) {
        int slot = i % tokens % Panel.TILE;
        int first = i - slot;
        panels.set(first, Math.min(Panel.TILE, tokens - first % tokens), slot, x, xAt[i]);
    }

    private void products(int chunk, int thread) {
        int part = 0;
        while (chunk >= firstChunk[part + 1]) {
            part++;
        }
        int inPart = chunk - firstChunk[part];
        int slice = inPart / chunksPerSlice[part];
        int group = inPart % chunksPerSlice[part] * chunkGroups[part];
        products(part, slice, group, Math.min(chunkGroups[part], weights[part].groups() - group), scratch[thread]);
    }

    private void gated(int chunk, int thread) {
        int group = chunk * chunkGroups[0];
        int groups = Math.min(chunkGroups[0], weights[0].groups() - group);
        products(0, 0, group, groups, scratch[thread]);
        products(1, 0, group, groups, scratch[thread]);
        int row = group * PackedType.ROWS;
        int rows = Math.min(groups * PackedType.ROWS, weights[0].rows() - row);
        for (int t = 0; t < tokens; t++) {
            int o = yAt[0][t] + row;
            Elementwise.glu(activation, ys[0], o, ys[0], o, ys[1], yAt[1][t] + row, rows);
        }
    }

    private void products(int part, int slice, int group, int groups, Scratch mine) {
        PackedWeight w = weights[part];
        Panel panel = panels.of(w);
        for (int t = 0; t < tokens; t += Panel.TILE) {
            int first = slice * tokens + t;
            int count = Math.min(Panel.TILE, tokens - t);
            kernels.matmul(w, slice, group, groups, panel, first, count, ys[part], yAt[part], first, mine);
        }
    }

    @Override
    public void close() {
        panels.close();
    }
}
