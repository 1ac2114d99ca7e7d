package dev.panamoe.cpu;

import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Rows;

/// Products of a matrix, or of one matrix per head, with rows of activations. A chunk is some weight rows of a matrix.
final class MatmulTask implements WorkerPool.Task {
    /// Bytes of weights of a chunk for a few tokens: enough that handing it out costs nothing beside it. Half of those
    /// in {@link PackedTask}, as these kernels read about half as fast.
    private static final int CHUNK_BYTES = 32 * 1024;

    private final Scratch[] scratch;
    private CpuWeight w = CpuWeight.NONE;
    private float[] x = new float[0];
    private float[] y = new float[0];
    private int[] xAt = new int[0];
    private int[] yAt = new int[0];
    private float[] rounded = new float[0];
    private int tokens;
    private int chunkRows;
    private int chunksPerSlice;

    MatmulTask(Scratch[] scratch) {
        this.scratch = scratch;
    }

    /// Row `r` of `xs` with slice `r % slices`.
    void run(WorkerPool pool, CpuWeight weight, Rows xs, Rows ys) {
        w = weight;
        x = HostBuffer.floats(xs);
        y = HostBuffer.floats(ys);
        if (weight.rounded()) {
            rounded = Scratch.atLeast(rounded, xs.rows() * xs.cols());
        }
        int slices = weight.slices();
        tokens = xs.rows() / slices;
        xAt = Scratch.atLeast(xAt, xs.rows());
        yAt = Scratch.atLeast(yAt, xs.rows());
        for (int r = 0; r < xs.rows(); r++) {
            int i = r % slices * tokens + r / slices;
            xAt[i] = xs.offset() + r * xs.stride();
            yAt[i] = ys.offset() + r * ys.stride();
            if (weight.rounded()) {
                Rounding.row(x, xAt[i], rounded, i * xs.cols(), xs.cols());
                xAt[i] = i * xs.cols();
            }
        }
        if (weight.rounded()) {
            x = rounded;
        }
        chunkRows = chunkRows(weight, tokens, slices, pool.threads());
        chunksPerSlice = Math.ceilDiv(weight.rows(), chunkRows);
        pool.run(chunksPerSlice * slices, this);
    }

    private static int chunkRows(CpuWeight w, int tokens, int slices, int threads) {
        int forBalance = Math.ceilDiv(w.rows() * slices, 4 * threads);
        int rows = tokens < Products.PANEL_FROM
                ? (int) Math.max(1, CHUNK_BYTES / w.rowBytes())
                : Products.panelRows(w.cols());
        return Math.max(4, Math.min(rows, forBalance + 3) & -4);
    }

    @Override
    public void run(int chunk, int thread) {
        int slice = chunk / chunksPerSlice;
        int from = chunk % chunksPerSlice * chunkRows;
        int count = Math.min(chunkRows, w.rows() - from);
        Products.rows(w, slice, from, count, x, xAt, y, yAt, slice * tokens, tokens, scratch[thread]);
    }
}
