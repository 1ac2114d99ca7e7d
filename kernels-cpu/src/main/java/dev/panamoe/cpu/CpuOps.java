package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The operations. Each is done when its method returns. Rows of the small ones are spread over the threads when there
/// is enough to do; the large ones have tasks of their own. Tasks are kept and refilled: an operation allocates nothing
/// once its scratch memory has the size that the model needs.
final class CpuOps implements Ops, AutoCloseable {
    /// What tasks hold before their first run.
    static final Rows NO_ROWS = Rows.of(HostBuffer.allocate(Buffer.Kind.F32, 1), 1, 1);

    static final Ids NO_IDS = Ids.of(HostBuffer.allocate(Buffer.Kind.I32, 1), 1, 1);

    private final WorkerPool pool;
    private final MatmulTask matmul;
    private final PackedTask packed;
    private final ExpertsTask experts;
    private final AttentionTask attention;
    private final RouteTask route;
    private final RopeTables ropeTables = new RopeTables();
    private final RowTask rows;

    /// @param scratch one a thread
    CpuOps(KernelSet kernels, WorkerPool pool, Scratch[] scratch) {
        this.pool = pool;
        this.matmul = new MatmulTask(scratch);
        this.packed = new PackedTask(kernels, pool, scratch);
        this.experts = new ExpertsTask(kernels, pool, scratch);
        this.attention = new AttentionTask(scratch);
        this.route = new RouteTask(scratch);
        this.rows = new RowTask(scratch);
    }

    @Override
    public void embed(Rows y, Weight w, Ids tokens, float scale) {
        CpuWeight table = (CpuWeight) w;
        int[] ids = ints(tokens);
        float[] out = floats(y);
        for (int r = 0; r < y.rows(); r++) {
            int token = ids[tokens.offset() + r];
            if (token < 0 || token >= table.rows()) {
                throw new IndexOutOfBoundsException("token " + token + " of a vocabulary of " + table.rows());
            }
            int at = y.offset() + r * y.stride();
            table.format().unpack(table.data(), table.offset(0, token), out, at, table.cols());
            Elementwise.scale(out, at, scale * table.factor(0), table.cols());
        }
    }

    @Override
    public void rmsNorm(Rows y, Rows x, @Nullable Weight w, float eps) {
        rows.begin(RowTask.Kind.RMS_NORM, y, x, x);
        rows.weight = w == null ? null : ((CpuVector) w).values();
        rows.factor = eps;
        rows.run(pool);
    }

    @Override
    public void matmul(Rows y, Weight w, Rows x) {
        switch ((Matrix) w) {
            case CpuWeight plain -> matmul.run(pool, plain, x, y);
            case PackedWeight p -> packed.run(y, p, x);
        }
    }

    @Override
    public void matmulPerHead(Rows y, Weight w, Rows x) {
        matmul(y, w, x);
    }

    @Override
    public void matmulAll(List<Rows> ys, List<Weight> ws, Rows x) {
        if (allPacked(ws)) {
            packed.run(ys, ws, x);
        } else {
            Ops.super.matmulAll(ys, ws, x);
        }
    }

    private static boolean allPacked(List<Weight> ws) {
        for (int i = 0; i < ws.size(); i++) {
            if (!(ws.get(i) instanceof PackedWeight)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void gatedMatmul(Rows y, Rows scratch, Weight gate, Weight up, Rows x, Activation activation) {
        if (gate instanceof PackedWeight g && up instanceof PackedWeight u) {
            packed.gated(y, scratch, g, u, x, activation);
        } else {
            Ops.super.gatedMatmul(y, scratch, gate, up, x, activation);
        }
    }

    @Override
    public void addBias(Rows y, Weight bias) {
        rows.begin(RowTask.Kind.ADD_BIAS, y, y, y);
        rows.weight = ((CpuVector) bias).values();
        rows.run(pool);
    }

    @Override
    public void rope(Rows x, Ids positions, Rope rope) {
        float[] frequencies = ((CpuVector) rope.inverseFrequencies()).values();
        rows.begin(
                rope.pairing() == RopeSpec.Pairing.HALVES ? RowTask.Kind.ROPE_HALVES : RowTask.Kind.ROPE_INTERLEAVED,
                x,
                x,
                x);
        rows.table =
                ropeTables.get(frequencies, rope.amplitude(), ints(positions), positions.offset(), positions.rows());
        rows.rowsPerToken = x.rows() / positions.rows();
        rows.run(pool);
    }

    @Override
    public void kvAppend(KvCache cache, Rows k, @Nullable Rows v, Ids positions) {
        rows.begin(RowTask.Kind.KV_APPEND, k, k, v == null ? k : v);
        rows.cache = (CpuCache) cache;
        rows.ids = positions;
        rows.run(pool);
    }

    @Override
    public void attention(Rows out, Rows q, KvCache cache, Ids positions, Attention how) {
        attention.run(pool, out, q, (CpuCache) cache, positions, how);
    }

    @Override
    public void route(Ids ids, Rows weights, Rows logits, Router router) {
        route.run(pool, ids, weights, logits, router);
    }

    @Override
    public void experts(Rows y, Experts how, Rows x, Ids ids, Rows weights) {
        experts.run(y, how, x, ids, weights);
    }

    @Override
    public void glu(Rows y, Rows gate, Rows up, Activation activation) {
        rows.begin(RowTask.Kind.GLU, y, gate, up);
        rows.activation = activation;
        rows.run(pool);
    }

    @Override
    public void add(Rows y, Rows x) {
        rows.begin(RowTask.Kind.ADD, y, x, x);
        rows.run(pool);
    }

    @Override
    public void scale(Rows y, float factor) {
        rows.begin(RowTask.Kind.SCALE, y, y, y);
        rows.factor = factor;
        rows.run(pool);
    }

    @Override
    public void softcap(Rows y, float cap) {
        rows.begin(RowTask.Kind.SOFTCAP, y, y, y);
        rows.factor = cap;
        rows.run(pool);
    }

    @Override
    public void topK(Ids ids, Rows values, Rows x) {
        for (int r = 0; r < x.rows(); r++) {
            TopK.row(
                    floats(x),
                    x.offset() + r * x.stride(),
                    x.cols(),
                    ids.cols(),
                    ints(ids),
                    ids.offset() + r * ids.cols(),
                    floats(values),
                    values.offset() + r * values.stride());
        }
    }

    @Override
    public void copy(Rows y, Rows x) {
        float[] from = floats(x);
        float[] to = floats(y);
        for (int r = 0; r < y.rows(); r++) {
            System.arraycopy(from, x.offset() + r * x.stride(), to, y.offset() + r * y.stride(), y.cols());
        }
    }

    static float[] floats(Rows rows) {
        return HostBuffer.floats(rows);
    }

    static int[] ints(Ids ids) {
        return HostBuffer.ints(ids);
    }

    @Override
    public void close() {
        packed.close();
        experts.close();
    }
}
