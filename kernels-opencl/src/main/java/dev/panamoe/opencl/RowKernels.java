package dev.panamoe.opencl;

import dev.panamoe.opencl.Scratch.Part;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Launches of the operations that go row by row or value by value: the source that all GPU backends share.
final class RowKernels {
    /// Work-items of a work-group. Few on a CPU, which runs them one after the other: at every barrier of a norm's sum
    /// it goes through all of them.
    private static final int GPU_GROUP = 256;

    private static final int CPU_GROUP = 32;

    /// Of `topk.inc`.
    private static final int TOP_TILE = 2048;

    private static final int TOP_GROUP = 256;

    /// MAX_EXPERTS of the kernels.
    static final int MAX_EXPERTS = 512;

    /// Bits of `steps` in `prepare_heads`.
    private static final int ADD_BIAS = 1;

    private static final int NORM = 2;
    private static final int NORM_WEIGHTED = 4;
    private static final int ROTATE = 8;

    private static final String ROWS = "reduce.inc activation.inc rows.inc";

    private final Kernels kernels;
    private final Scratch scratch;
    private final long queue;
    private final int group;
    private final String options;

    RowKernels(ClDevice device, Kernels kernels, Scratch scratch, long queue) {
        this.kernels = kernels;
        this.scratch = scratch;
        this.queue = queue;
        this.group = device.isCpu() ? CPU_GROUP : GPU_GROUP;
        this.options = "-D GROUP=" + group;
    }

    private Kernel rows(String name) {
        return kernels.get(name, ROWS, null, options);
    }

    private static Kernel give(Kernel k, Rows rows) {
        return give(k, OpenClBuffer.of(rows), rows.offset(), rows.stride());
    }

    private static Kernel give(Kernel k, long buffer, int offset, int stride) {
        return k.buffer(buffer).value(offset).value(stride);
    }

    private static Kernel give(Kernel k, Ids ids) {
        return k.buffer(OpenClBuffer.of(ids)).value(ids.offset());
    }

    /// Ends the arguments with (rows, cols), and gives each value a work-item.
    private void launch(Kernel k, long rows, long cols) {
        // Work-items count values in an int.
        int values = Math.toIntExact(rows * cols);
        k.value((int) rows).value((int) cols).launch(queue, group, Math.ceilDiv(values, group), 1, 1);
    }

    /// See {@link dev.panamoe.spi.Ops#rmsNorm}.
    void rmsNorm(Rows y, Rows x, @Nullable Weight w, float eps) {
        Kernel k = give(give(rows("rms_norm"), y), x);
        k.buffer(w == null ? OpenClBuffer.of(x) : OpenClWeight.vector(w))
                .value(0)
                .value(w == null ? 0 : 1)
                .value(x.cols())
                .value(eps)
                .launch(queue, group, x.rows(), 1, 1);
    }

    /// See {@link dev.panamoe.spi.Ops#addRmsNorm}.
    void addRmsNorm(
            Rows x,
            Rows branch,
            @Nullable Weight branchNorm,
            float scale,
            List<Rows> ys,
            List<Weight> norms,
            float eps) {
        long unused = OpenClBuffer.of(x);
        Kernel k = give(give(rows("add_rms_norm"), x), branch)
                .buffer(branchNorm == null ? unused : OpenClWeight.vector(branchNorm))
                .value(branchNorm == null ? 0 : 1)
                .value(scale);
        for (int i = 0; i < Ops.MAX_NORMS; i++) {
            if (i < norms.size()) {
                give(k, ys.get(i)).buffer(OpenClWeight.vector(norms.get(i)));
            } else {
                k.buffer(unused).value(0).value(0).buffer(unused);
            }
        }
        k.value(norms.size()).value(x.cols()).value(eps).launch(queue, group, x.rows(), 1, 1);
    }

    /// See {@link dev.panamoe.spi.Ops#prepareHeads}.
    void prepareHeads(List<HeadRows> heads, List<HeadSteps> steps, Ids positions, float eps) {
        Kernel k = rows("prepare_heads");
        Rows first = heads.getFirst().heads();
        long unused = OpenClBuffer.of(first);
        int all = 0;
        Rope rope = null;
        for (int i = 0; i < Ops.MAX_HEAD_KINDS; i++) {
            if (i < steps.size()) {
                HeadSteps s = steps.get(i);
                Rows x = heads.get(i).heads();
                give(k, x)
                        .value(x.rows())
                        .value(code(s))
                        .buffer(s.bias() == null ? unused : OpenClWeight.vector(s.bias()))
                        .buffer(s.norm() == null ? unused : OpenClWeight.vector(s.norm()));
                all += x.rows();
                rope = s.rope() == null ? rope : s.rope();
            } else {
                k.buffer(unused)
                        .value(0)
                        .value(0)
                        .value(0)
                        .value(0)
                        .buffer(unused)
                        .buffer(unused);
            }
        }
        give(k.value(positions.rows()).value(first.cols()).value(eps), positions)
                .buffer(rope == null ? unused : OpenClWeight.vector(rope.inverseFrequencies()))
                .value(rope == null ? 0 : halves(rope))
                .value(rope == null ? 0f : rope.amplitude())
                .value(heads.getFirst().rotated().cols() / 2)
                .launch(queue, group, all, 1, 1);
    }

    /// `steps` of the kernel.
    private static int code(HeadSteps s) {
        return (s.bias() == null ? 0 : ADD_BIAS)
                | (s.normed() ? NORM : 0)
                | (s.norm() == null ? 0 : NORM_WEIGHTED)
                | (s.rope() == null ? 0 : ROTATE);
    }

    private static int halves(Rope rope) {
        return rope.pairing() == RopeSpec.Pairing.HALVES ? 1 : 0;
    }

    /// See {@link dev.panamoe.spi.Ops#addBias}.
    void addBias(Rows y, Weight bias) {
        launch(give(rows("add_bias"), y).buffer(OpenClWeight.vector(bias)).value(0), y.rows(), y.cols());
    }

    /// See {@link dev.panamoe.spi.Ops#rope}.
    void rope(Rows x, Ids positions, Rope rope) {
        int pairs = x.cols() / 2;
        give(give(rows("rope"), x), positions)
                .buffer(OpenClWeight.vector(rope.inverseFrequencies()))
                .value(0)
                .value(halves(rope))
                .value(rope.amplitude())
                .value(x.rows())
                .value(pairs)
                .value(x.rows() / positions.rows())
                .launch(queue, group, Math.ceilDiv((long) x.rows() * pairs, group), 1, 1);
    }

    /// See {@link dev.panamoe.spi.Ops#glu}.
    void glu(Rows y, Rows gate, Rows up, Activation activation) {
        launch(give(give(give(rows("glu"), y), gate), up).value(code(activation)), y.rows(), y.cols());
    }

    /// The same in place of `gate`.
    void glu(long gate, int gateStride, long up, int upStride, Activation activation, int rows, int cols) {
        Kernel k = give(give(rows("glu"), gate, 0, gateStride), gate, 0, gateStride);
        launch(give(k, up, 0, upStride).value(code(activation)), rows, cols);
    }

    /// See {@link dev.panamoe.spi.Ops#add}.
    void add(Rows y, Rows x) {
        launch(give(give(rows("add"), y), x), y.rows(), y.cols());
    }

    /// See {@link dev.panamoe.spi.Ops#scale}.
    void scale(Rows y, float factor) {
        launch(give(rows("scale"), y).value(factor), y.rows(), y.cols());
    }

    /// See {@link dev.panamoe.spi.Ops#softcap}.
    void softcap(Rows y, float cap) {
        launch(give(rows("softcap"), y).value(cap), y.rows(), y.cols());
    }

    /// See {@link dev.panamoe.spi.Ops#copy}.
    void copy(Rows y, Rows x) {
        launch(give(give(rows("copy_rows"), y), x), y.rows(), y.cols());
    }

    void copy(long y, int yOffset, int yStride, long x, int xOffset, int xStride, int rows, int cols) {
        launch(give(give(rows("copy_rows"), y, yOffset, yStride), x, xOffset, xStride), rows, cols);
    }

    /// Takes what {@link #topK} of one row of logits needs at most.
    void reserve(ModelSpec spec) {
        int groups = Math.ceilDiv(spec.vocabulary(), TOP_TILE);
        scratch.reserve(Part.TOP_KEYS, 2L * groups * Ops.MAX_TOP_K);
        scratch.reserve(Part.TOP_COLUMNS, 2L * groups * Ops.MAX_TOP_K);
    }

    /// See {@link dev.panamoe.spi.Ops#topK}: each pass leaves the k largest of every tile, until one tile has all.
    void topK(Ids ids, Rows values, Rows x) {
        int k = ids.cols();
        int groups = Math.ceilDiv(x.cols(), TOP_TILE);
        // Two halves, of which a pass reads one and writes the other.
        int half = groups > 1 ? Math.multiplyExact(x.rows(), groups * k) : 0;
        long keys = half > 0 ? scratch.of(Part.TOP_KEYS, 2L * half) : OpenClBuffer.of(values);
        long columns = half > 0 ? scratch.of(Part.TOP_COLUMNS, 2L * half) : OpenClBuffer.of(ids);
        int n = x.cols();
        int from = 0;
        int to = half;
        for (boolean first = true; ; first = false) {
            groups = Math.ceilDiv(n, TOP_TILE);
            boolean last = groups == 1;
            int left = groups * k;
            Kernel pass = kernels.get("top_k", "topk.inc", null, "")
                    .buffer(last ? OpenClBuffer.of(values) : keys)
                    .value(last ? values.offset() : to)
                    .value(last ? values.stride() : left)
                    .buffer(last ? OpenClBuffer.of(ids) : columns)
                    .value(last ? ids.offset() : to)
                    .value(left)
                    .buffer(first ? OpenClBuffer.of(x) : keys)
                    .value(first ? x.offset() : from)
                    .value(first ? x.stride() : n)
                    .buffer(columns)
                    .value(from);
            pass.value(n)
                    .value(k)
                    .value(first ? 1 : 0)
                    .value(last ? 1 : 0)
                    .launch(queue, TOP_GROUP, groups, x.rows(), 1);
            if (last) {
                return;
            }
            n = left;
            from = to;
            to = half - to;
        }
    }

    /// See {@link dev.panamoe.spi.Ops#embed}.
    void embed(Rows y, OpenClWeight.Matrix w, Ids tokens, float scale) {
        Kernel k = kernels.get("embed", "embed.inc", w.type(), options);
        for (int i = 0; i < w.pieces().size(); i++) {
            OpenClWeight.Piece piece = w.pieces().get(i);
            give(k, y).buffer(piece.words()).buffer(piece.tails());
            int from = piece.from() * PackedFormat.PANEL;
            give(k, tokens)
                    .value(from)
                    .value(Math.min(w.rows(), piece.to() * PackedFormat.PANEL) - from)
                    .value(scale * w.firstFactor());
            launch(k, y.rows(), y.cols());
        }
    }

    /// See {@link dev.panamoe.spi.Ops#route}.
    void route(Ids ids, Rows weights, Rows logits, Router router) {
        RouterSpec s = router.spec();
        Kernel k = kernels.get("route", "reduce.inc router.inc", null, options);
        Weight bias = router.selectionBias();
        Weight scale = router.expertScale();
        give(give(give(k, ids), weights), logits)
                .buffer(bias == null ? OpenClBuffer.of(logits) : OpenClWeight.vector(bias))
                .buffer(scale == null ? OpenClBuffer.of(logits) : OpenClWeight.vector(scale))
                .value(s.scale())
                .value(s.experts())
                .value(s.used())
                .value(s.groups())
                .value(s.groupsUsed())
                .value(s.gating() == RouterSpec.Gating.SIGMOID ? 1 : 0)
                .value(s.groupScore() == RouterSpec.GroupScore.TOP2_SUM ? 1 : 0)
                .value(s.normalise() ? 1 : 0)
                .value(bias == null ? 0 : 1)
                .value(scale == null ? 0 : 1)
                .launch(queue, group, logits.rows(), 1, 1);
    }

    /// What `activation.inc` calls it.
    static int code(Activation activation) {
        return switch (activation) {
            case SILU -> 0;
            case GELU_TANH -> 1;
            case SWIGLU_CLAMPED -> 2;
        };
    }
}
