package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// An operation row by row; a chunk is some rows.
final class RowTask implements WorkerPool.Task {
    enum Kind {
        RMS_NORM,
        ROPE_HALVES,
        ROPE_INTERLEAVED,
        KV_APPEND,
        GLU,
        ADD,
        ADD_BIAS,
        SCALE,
        SOFTCAP
    }

    /// Values of a chunk; with fewer than two chunks the caller does it alone.
    private static final int CHUNK = 8 * 1024;

    private final Scratch[] scratch;
    private Kind kind = Kind.ADD;
    private Rows y = CpuOps.NO_ROWS;
    private Rows a = CpuOps.NO_ROWS;
    private Rows b = CpuOps.NO_ROWS;
    private int chunkRows;

    /// Further arguments; each kind has its own.
    float @Nullable [] weight;

    float factor;
    Activation activation = Activation.SILU;
    RopeTables.@Nullable Table table;
    int rowsPerToken;

    @Nullable
    CpuCache cache;

    Ids ids = CpuOps.NO_IDS;

    RowTask(Scratch[] scratch) {
        this.scratch = scratch;
    }

    void begin(Kind what, Rows result, Rows first, Rows second) {
        kind = what;
        y = result;
        a = first;
        b = second;
    }

    void run(WorkerPool pool) {
        chunkRows = Math.max(1, CHUNK / y.cols());
        pool.run(Math.ceilDiv(y.rows(), chunkRows), this);
    }

    @Override
    public void run(int chunk, int thread) {
        int from = chunk * chunkRows;
        int to = Math.min(from + chunkRows, y.rows());
        float[] out = CpuOps.floats(y);
        float[] x = CpuOps.floats(a);
        float[] z = CpuOps.floats(b);
        int n = y.cols();
        for (int r = from; r < to; r++) {
            int o = y.offset() + r * y.stride();
            int i = a.offset() + r * a.stride();
            int j = b.offset() + r * b.stride();
            switch (kind) {
                case RMS_NORM -> Elementwise.rmsNorm(out, o, x, i, weight, n, factor, scratch[thread]);
                case ROPE_HALVES ->
                    Elementwise.ropeHalves(out, o, n / 2, Objects.requireNonNull(table), r / rowsPerToken);
                case ROPE_INTERLEAVED ->
                    Elementwise.ropeInterleaved(out, o, n / 2, Objects.requireNonNull(table), r / rowsPerToken);
                case KV_APPEND -> Objects.requireNonNull(cache).store(CpuOps.ints(ids)[ids.offset() + r], x, i, z, j);
                case GLU -> Elementwise.glu(activation, out, o, x, i, z, j, n);
                case ADD -> Elementwise.add(out, o, x, i, n);
                case ADD_BIAS -> Elementwise.add(out, o, Objects.requireNonNull(weight), 0, n);
                case SCALE -> Elementwise.scale(out, o, factor, n);
                case SOFTCAP -> Elementwise.softcap(out, o, factor, n);
            }
        }
    }
}
