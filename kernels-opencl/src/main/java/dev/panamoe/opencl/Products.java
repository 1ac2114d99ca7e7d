package dev.panamoe.opencl;

import dev.panamoe.opencl.OpenClWeight.Matrix;
import dev.panamoe.opencl.OpenClWeight.Piece;
import dev.panamoe.opencl.Scratch.Part;
import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.util.List;

/// Products with weights: `matvec.cl` for few rows of activations, `matmul.cl` for many. Both give the same bits, so
/// that the limit between them is a matter of speed alone.
final class Products {
    /// Work-items of a work-group; of one of `matvec.cl`, times the rows of a work-item.
    private static final int GROUP = 256;

    /// Rows that a work-item of `matvec.cl` computes at once on a CPU: a vector.
    private static final int CPU_WIDTH = 16;

    /// Rows of activations that a matvec work-group takes at once when there are several.
    private static final int SEVERAL = 4;

    /// Up to so many rows, weights are read once for every {@link #SEVERAL}.
    private static final int FEW = 8;

    /// Weights that one launch of `matvec_all` takes: q, k and v.
    private static final int MOST_TOGETHER = 3;

    /// Up to so many tokens, each expert of a token is computed by itself.
    private static final int FEW_TOKENS = 8;

    /// Rows of activations and of weights in a tile of `matmul.cl`.
    private static final int TILE = 64;

    private static final int TILE_PANELS = 2;

    private static final String MATVEC = "quant.inc activation.inc matvec.cl";
    private static final String TILES = "-D TILE=" + TILE;

    /// What rows of activations meet.
    private enum Slicing {
        /// One matrix.
        NONE(0),
        /// Row `t * heads + s` the slice `s`.
        HEADS(1),
        /// Each row the slice of its expert.
        EXPERTS(2);

        /// What the kernels call it.
        final int code;

        Slicing(int code) {
            this.code = code;
        }
    }

    /// Where rows lie. Places are kept and set anew, so that launches make no objects.
    private static class Place {
        private long buffer;
        private int offset;
        private int stride;

        final void set(long buffer, int offset, int stride) {
            this.buffer = buffer;
            this.offset = offset;
            this.stride = stride;
        }

        final long buffer() {
            return buffer;
        }

        final int offset() {
            return offset;
        }

        final int stride() {
            return stride;
        }
    }

    /// Memory with the rows that products read: from a multiple of 4 values on, a multiple of 4 apart, with zeros up to
    /// a multiple of 32 columns.
    private static final class Input extends Place {
        Input at(long buffer, int offset, int stride) {
            set(buffer, offset, stride);
            return this;
        }
    }

    /// Memory that rows of results go to.
    private static final class Output extends Place {
        Output at(long buffer, int offset, int stride) {
            set(buffer, offset, stride);
            return this;
        }

        Output at(Rows y) {
            return at(OpenClBuffer.of(y), y.offset(), y.stride());
        }
    }

    private final Kernels kernels;
    private final Memory memory;
    private final Scratch scratch;
    private final RowKernels rowKernels;
    private final long queue;
    private final int width;
    private final String options;

    /// Of the operation that is recorded, and of the products inside experts.
    private final Input input = new Input();

    private final Output output = new Output();
    private final Input downInput = new Input();
    private final Output gateOutput = new Output();
    private final Output upOutput = new Output();
    private final Output downOutput = new Output();

    Products(ClDevice device, Kernels kernels, RowKernels rowKernels, Memory memory, Scratch scratch, long queue) {
        this.width = device.isCpu() ? CPU_WIDTH : 1;
        this.options = "-D WIDTH=" + width;
        this.rowKernels = rowKernels;
        this.kernels = kernels;
        this.memory = memory;
        this.scratch = scratch;
        this.queue = queue;
    }

    /// See {@link dev.panamoe.spi.Ops#matmul}.
    void matmul(Rows y, Matrix w, Rows x) {
        Input in = input(x);
        Output out = output.at(y);
        if (x.rows() <= FEW) {
            matvec(w, Slicing.NONE, in, out, x.rows(), 1, out.buffer(), 0);
        } else {
            long tiles = Math.ceilDiv(x.rows(), TILE);
            matmul(w, Slicing.NONE, in, out, x.rows(), 1, out.buffer(), out.buffer(), tiles, 1);
        }
    }

    /// See {@link dev.panamoe.spi.Ops#matmulAll}. One row meets all weights of a type in one launch.
    void matmulAll(List<Rows> ys, List<Weight> ws, Rows x) {
        int done = 0;
        for (int i = 0; i < ws.size(); i++) {
            if ((done >> i & 1) == 0) {
                int together = x.rows() == 1 && ws.size() <= MOST_TOGETHER ? sameType(ws, i, done) : 0;
                if (Integer.bitCount(together) > 1) {
                    matvecAll(ys, ws, together, x);
                    done |= together;
                } else {
                    matmul(ys.get(i), OpenClWeight.matrix(ws.get(i)), x);
                }
            }
        }
    }

    /// The weights from `first` on, those in `done` left out, that one launch takes together with `first`, as bits: of
    /// its type, in one piece each (matrices of attention are far below what devices allocate at once) and without
    /// factors.
    private static int sameType(List<Weight> ws, int first, int done) {
        int same = 0;
        for (int i = first; i < ws.size(); i++) {
            Matrix w = OpenClWeight.matrix(ws.get(i));
            boolean plain = w.pieces().size() == 1 && !w.hasFactors();
            if ((done >> i & 1) == 0 && plain && w.type() == ws.get(first).type()) {
                same |= 1 << i;
            }
        }
        return (same >> first & 1) == 0 ? 0 : same;
    }

    /// @param which weights, as bits: two or three
    private void matvecAll(List<Rows> ys, List<Weight> ws, int which, Rows x) {
        Input in = input(x);
        int first = Integer.numberOfTrailingZeros(which);
        Matrix w = OpenClWeight.matrix(ws.get(first));
        Kernel k = kernels.get(
                        "matvec_all",
                        MATVEC,
                        w.type(),
                        options,
                        w.pieces().getFirst().words())
                .value(w.groups())
                .buffer(in.buffer())
                .value(in.offset());
        int panels = 0;
        int left = which;
        for (int i = 0; i < MOST_TOGETHER; i++) {
            // A place that none is left for gets no panels.
            int at = left == 0 ? first : Integer.numberOfTrailingZeros(left);
            Matrix m = OpenClWeight.matrix(ws.get(at));
            Piece piece = m.pieces().getFirst();
            int own = left == 0 ? 0 : m.panels();
            Rows y = ys.get(at);
            k.buffer(piece.words()).buffer(piece.tails()).value(own).value(m.rows());
            k.buffer(OpenClBuffer.of(y)).value(y.offset());
            panels += own;
            left &= left - 1;
        }
        k.launch(queue, GROUP / width, panels, 1, 1);
    }

    /// See {@link dev.panamoe.spi.Ops#matmulPerHead}.
    void perHead(Rows y, Matrix w, Rows x) {
        int heads = w.slices();
        int tokens = x.rows() / heads;
        Input in = input(x);
        Output out = output.at(y);
        if (tokens <= FEW) {
            matvec(w, Slicing.HEADS, in, out, tokens, heads, out.buffer(), 0);
        } else {
            long tiles = Math.ceilDiv(tokens, TILE);
            matmul(w, Slicing.HEADS, in, out, tokens, heads, out.buffer(), out.buffer(), tiles, heads);
        }
    }

    /// See {@link dev.panamoe.spi.Ops#gatedMatmul}, of one row.
    void gated(Rows y, Matrix gate, Matrix up, Rows x, Activation activation) {
        Output out = output.at(y);
        long none = out.buffer();
        gated(gate, up, Slicing.NONE, input(x), out, 1, 1, none, 0, none, none, false, activation);
    }

    /// Whether one kernel can compute both at once.
    static boolean alike(Matrix gate, Matrix up) {
        return gate.type() == up.type() && gate.hasFactors() == up.hasFactors();
    }

    /// Gives a kernel what all three take alike: panels of the piece and sizes of the matrix, input, output.
    private static Kernel give(Kernel k, Piece piece, Matrix w, Input x, Output y) {
        return k.value(piece.from())
                .value(piece.to())
                .value(w.panels())
                .value(w.rows())
                .value(w.groups())
                .buffer(x.buffer())
                .value(x.offset())
                .value(x.stride())
                .buffer(y.buffer())
                .value(y.offset())
                .value(y.stride());
    }

    private void matvec(Matrix w, Slicing slicing, Input x, Output y, int count, int step, long ids, int idsOffset) {
        int tokens = slicing == Slicing.EXPERTS || count == 1 ? 1 : SEVERAL;
        for (int i = 0; i < w.pieces().size(); i++) {
            Piece piece = w.pieces().get(i);
            Kernel k = kernels.get(tokens == 1 ? "matvec" : "matvec4", MATVEC, w.type(), options, piece.words())
                    .buffer(piece.words())
                    .buffer(piece.tails());
            give(k, piece, w, x, y)
                    .value(count)
                    .value(slicing.code)
                    .value(step)
                    .buffer(ids)
                    .value(idsOffset)
                    .value(w.hasFactors() ? 1 : 0)
                    .buffer(w.factorsOr(y.buffer()))
                    .launch(
                            queue,
                            GROUP / width,
                            w.panels(),
                            Math.ceilDiv(count, tokens),
                            slicing == Slicing.HEADS ? step : 1);
        }
    }

    /// @param gateBias, upBias any buffers where not `biased`
    private void gated(
            Matrix gate,
            Matrix up,
            Slicing slicing,
            Input x,
            Output y,
            int count,
            int step,
            long ids,
            int idsOffset,
            long gateBias,
            long upBias,
            boolean biased,
            Activation activation) {
        for (int i = 0; i < gate.pieces().size(); i++) {
            Piece g = gate.pieces().get(i);
            Piece u = up.pieces().get(i);
            Kernel k = kernels.get("gated_matvec", MATVEC, gate.type(), options, g.words())
                    .buffer(g.words())
                    .buffer(g.tails())
                    .buffer(u.words())
                    .buffer(u.tails());
            give(k, g, gate, x, y)
                    .value(slicing.code)
                    .value(step)
                    .buffer(ids)
                    .value(idsOffset)
                    .buffer(gateBias)
                    .buffer(upBias)
                    .value(biased ? 1 : 0)
                    .value(RowKernels.code(activation))
                    .value(gate.hasFactors() ? 1 : 0)
                    .buffer(gate.factorsOr(y.buffer()))
                    .buffer(up.factorsOr(y.buffer()))
                    .launch(queue, GROUP / width, gate.panels(), count, 1);
        }
    }

    private void matmul(
            Matrix w,
            Slicing slicing,
            Input x,
            Output y,
            int count,
            int step,
            long tiles,
            long order,
            long tileCount,
            int slices) {
        for (int i = 0; i < w.pieces().size(); i++) {
            Piece piece = w.pieces().get(i);
            Kernel k = kernels.get("matmul", "quant.inc matmul.cl", w.type(), TILES, piece.words())
                    .buffer(piece.words())
                    .buffer(piece.tails());
            give(k, piece, w, x, y)
                    .value(count)
                    .value(slicing.code)
                    .value(step)
                    .buffer(tiles)
                    .buffer(order)
                    .value(w.hasFactors() ? 1 : 0)
                    .buffer(w.factorsOr(y.buffer()))
                    .launch(queue, GROUP, Math.ceilDiv(w.panels(), TILE_PANELS), tileCount, slices);
        }
    }

    /// See {@link dev.panamoe.spi.Ops#experts}.
    void experts(Rows y, Experts experts, Rows x, Ids ids, Rows weights) {
        Matrix gate = OpenClWeight.matrix(experts.gate());
        Matrix up = OpenClWeight.matrix(experts.up());
        Matrix down = OpenClWeight.matrix(experts.down());
        int used = ids.cols();
        int pairs = x.rows() * used;
        int hidden = Math.ceilDiv(gate.rows(), PackedFormat.PANEL) * PackedFormat.PANEL;
        int width = down.rows();
        Input in = input(x);
        long h = scratch.of(Part.GATE, (long) pairs * hidden);
        long out = scratch.of(Part.DOWN, (long) pairs * width);
        long idsBuffer = OpenClBuffer.of(ids);
        if (hidden > gate.rows()) {
            memory.zero(h, (long) pairs * hidden * Float.BYTES);
        }
        Input inner = downInput.at(h, 0, hidden);
        Experts.Biases biases = experts.biases();
        boolean biased = biases != null;
        long gateBias = biases == null ? h : OpenClWeight.vector(biases.gate());
        long upBias = biases == null ? h : OpenClWeight.vector(biases.up());
        long downBias = biases == null ? h : OpenClWeight.vector(biases.down());
        Output hiddens = gateOutput.at(h, 0, hidden);
        Output outs = downOutput.at(out, 0, width);
        if (x.rows() <= FEW_TOKENS && alike(gate, up)) {
            gated(
                    gate,
                    up,
                    Slicing.EXPERTS,
                    in,
                    hiddens,
                    pairs,
                    used,
                    idsBuffer,
                    ids.offset(),
                    gateBias,
                    upBias,
                    biased,
                    experts.activation());
            matvec(down, Slicing.EXPERTS, inner, outs, pairs, 1, idsBuffer, ids.offset());
        } else {
            long order = scratch.of(Part.ORDER, pairs);
            int slices = gate.slices();
            int tileCount = Math.ceilDiv(pairs, TILE) + slices;
            long tiles = scratch.of(Part.TILES, 3L * tileCount);
            long u = scratch.of(Part.UP, (long) pairs * hidden);
            sort(order, tiles, idsBuffer, ids.offset(), pairs, slices);
            // Most experts have few tokens or none; no expert has more tiles than all tokens fill.
            matmul(gate, Slicing.EXPERTS, in, hiddens, pairs, used, tiles, order, tileCount, 1);
            matmul(up, Slicing.EXPERTS, in, upOutput.at(u, 0, hidden), pairs, used, tiles, order, tileCount, 1);
            if (biased) {
                expertBias(h, hidden, gateBias, idsBuffer, ids.offset(), pairs, gate.rows());
                expertBias(u, hidden, upBias, idsBuffer, ids.offset(), pairs, gate.rows());
            }
            rowKernels.glu(h, hidden, u, hidden, experts.activation(), pairs, gate.rows());
            matmul(down, Slicing.EXPERTS, inner, outs, pairs, 1, tiles, order, tileCount, 1);
        }
        kernels.get("combine", "sort.inc", null, TILES)
                .buffer(OpenClBuffer.of(y))
                .value(y.offset())
                .value(y.stride())
                .buffer(out)
                .value(0)
                .value(width)
                .buffer(OpenClBuffer.of(weights))
                .value(weights.offset())
                .value(weights.stride())
                .buffer(idsBuffer)
                .value(ids.offset())
                .buffer(downBias)
                .value(0)
                .value(biased ? 1 : 0)
                .value(y.rows())
                .value(width)
                .value(used)
                .launch(queue, GROUP, Math.ceilDiv(Math.multiplyExact(y.rows(), width), GROUP), 1, 1);
    }

    private void sort(long order, long tiles, long ids, int idsOffset, int pairs, int experts) {
        kernels.get("sort_pairs", "sort.inc", null, TILES)
                .buffer(order)
                .buffer(tiles)
                .buffer(ids)
                .value(idsOffset)
                .value(pairs)
                .value(experts)
                .launch(queue, GROUP, 1, 1, 1);
    }

    private void expertBias(long y, int stride, long bias, long ids, int idsOffset, int pairs, int cols) {
        kernels.get("add_expert_bias", "sort.inc", null, TILES)
                .buffer(y)
                .value(0)
                .value(stride)
                .buffer(bias)
                .buffer(ids)
                .value(idsOffset)
                .value(pairs)
                .value(cols)
                .launch(queue, GROUP, Math.ceilDiv(Math.multiplyExact(pairs, cols), GROUP), 1, 1);
    }

    /// Rows as products read them: where they are, or copied.
    private Input input(Rows x) {
        if (x.offset() % 4 == 0 && x.stride() % 4 == 0 && x.cols() % PackedFormat.PANEL == 0) {
            return input.at(OpenClBuffer.of(x), x.offset(), x.stride());
        }
        int stride = Math.ceilDiv(x.cols(), PackedFormat.PANEL) * PackedFormat.PANEL;
        long values = (long) x.rows() * stride;
        long copy = scratch.of(Part.ALIGNED, values);
        if (stride > x.cols()) {
            memory.zero(copy, values * Float.BYTES);
        }
        rowKernels.copy(copy, 0, stride, OpenClBuffer.of(x), x.offset(), x.stride(), x.rows(), x.cols());
        return input.at(copy, 0, stride);
    }
}
