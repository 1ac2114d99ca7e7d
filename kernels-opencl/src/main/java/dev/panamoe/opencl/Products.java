package dev.panamoe.opencl;

import static java.util.Objects.requireNonNull;

import dev.panamoe.opencl.OpenClWeight.Matrix;
import dev.panamoe.opencl.OpenClWeight.Piece;
import dev.panamoe.opencl.Scratch.Part;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Products with weights: `matvec.cl` for few rows of activations; for many `matmul.cl`, or `matmul_cpu.cl` on a CPU;
/// with activations of 8 bits, the same kernels of {@link IntegerProducts}. Few and many give the same bits, so that
/// the limit between them is a matter of speed alone.
final class Products {
    /// Work-items of a work-group, of `matvec.cl` as its {@link MatvecConfig} says.
    private static final int GROUP = 256;

    /// Rows that a work-item of `matmul_cpu.cl` reads at once: a vector.
    private static final int CPU_WIDTH = 16;

    /// Up to so many tokens, each expert of a token is computed by itself.
    private static final int FEW_TOKENS = 8;

    /// Weights that one launch of `matvec_all` takes: q, k and v.
    private static final int MOST_TOGETHER = 3;

    /// Rows of activations in a tile of `matmul.cl` and `matmul_cpu.cl`.
    private static final int TILE = 64;

    /// Panels of weights in a tile of `matmul.cl`; in one of `matmul_cpu.cl` it is one.
    private static final int TILE_PANELS = 2;

    static final String MATVEC = "quant.inc activation.inc matvec.cl";
    static final String MATMUL = "quant.inc matmul.cl";
    private static final String MATMUL_CPU = "quant.inc matmul_cpu.cl";
    static final String TILES = "-D TILE=" + TILE;
    private static final String CPU_TILES = "-D WIDTH=" + CPU_WIDTH + " " + TILES;

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

    private final Kernels kernels;
    private final Memory memory;
    private final Scratch scratch;
    private final RowKernels rowKernels;
    private final IntegerProducts integers;
    private final long queue;
    private final boolean cpu;
    private final Function<QuantType, MatvecConfig> configs;

    /// Of the operation that is recorded, and of the products inside experts.
    private final Operand operand = new Operand();

    private final Place output = new Place();
    private final Place downInput = new Place();
    private final Place gateOutput = new Place();
    private final Place upOutput = new Place();
    private final Place downOutput = new Place();

    /// @param configs how `matvec.cl` is launched for weights of a type
    Products(
            ClDevice device,
            Kernels kernels,
            RowKernels rowKernels,
            Memory memory,
            Scratch scratch,
            long queue,
            Function<QuantType, MatvecConfig> configs,
            IntegerProducts integers) {
        this.configs = configs;
        this.integers = integers;
        this.cpu = device.isCpu();
        this.rowKernels = rowKernels;
        this.kernels = kernels;
        this.memory = memory;
        this.scratch = scratch;
        this.queue = queue;
    }

    /// See {@link dev.panamoe.spi.Device#reserve}. Not counted are copies of inputs whose width is no multiple of 32,
    /// which no model that we know has.
    void reserve(ModelSpec spec, int maxRows) {
        for (LayerSpec layer : spec.layers()) {
            if (layer.feedForward() instanceof Moe f) {
                int pairs = Math.multiplyExact(maxRows, f.router().used());
                long hidden = (long) pairs * padded(f.width());
                scratch.reserve(Part.GATE, hidden);
                scratch.reserve(Part.UP, hidden);
                scratch.reserve(Part.DOWN, (long) pairs * spec.embedding());
                scratch.reserve(Part.ORDER, pairs);
                scratch.reserve(Part.TILES, 3L * tiles(pairs, f.router().experts()));
            }
        }
    }

    /// The most tiles that pairs of tokens and experts can fill.
    private static int tiles(int pairs, int experts) {
        return Math.ceilDiv(pairs, TILE) + experts;
    }

    private static int padded(int columns) {
        return Math.ceilDiv(columns, PackedFormat.PANEL) * PackedFormat.PANEL;
    }

    /// See {@link dev.panamoe.spi.Ops#matmul}.
    void matmul(Rows y, Matrix w, Rows x) {
        operand.begin(x);
        matmul(y, w);
    }

    /// See {@link dev.panamoe.spi.Ops#matmulAll}. One row meets all weights of a type in one launch.
    void matmulAll(List<Rows> ys, List<Weight> ws, Rows x) {
        operand.begin(x);
        int done = 0;
        for (int i = 0; i < ws.size(); i++) {
            if ((done >> i & 1) == 0) {
                int together = x.rows() == 1 && ws.size() <= MOST_TOGETHER ? sameType(ws, i, done) : 0;
                if (Integer.bitCount(together) > 1) {
                    matvecAll(ys, ws, together);
                    done |= together;
                } else {
                    matmul(ys.get(i), OpenClWeight.matrix(ws.get(i)));
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
    private void matvecAll(List<Rows> ys, List<Weight> ws, int which) {
        int first = Integer.numberOfTrailingZeros(which);
        Matrix w = OpenClWeight.matrix(ws.get(first));
        MatvecConfig config = config(w);
        Place in = operand.of(w);
        Kernel k = matvecKernel("matvec_all", w, config, w.pieces().getFirst())
                .value(w.groups())
                .buffer(in.buffer())
                .value(in.offset());
        int groups = 0;
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
            groups += Math.ceilDiv(own, config.panels());
            left &= left - 1;
        }
        k.launch(queue, config.group(), groups, 1, 1);
    }

    /// The product with the operand that has begun.
    private void matmul(Rows y, Matrix w) {
        Rows x = operand.rows();
        Place in = operand.of(w);
        Place out = output.at(y);
        if (x.rows() <= config(w).few()) {
            matvec(w, Slicing.NONE, in, out, x.rows(), 1, out.buffer(), 0);
        } else {
            long tiles = Math.ceilDiv(x.rows(), TILE);
            matmul(w, Slicing.NONE, in, out, x.rows(), 1, out.buffer(), out.buffer(), tiles, 1);
        }
    }

    /// See {@link dev.panamoe.spi.Ops#matmulPerHead}.
    void perHead(Rows y, Matrix w, Rows x) {
        int heads = w.slices();
        int tokens = x.rows() / heads;
        operand.begin(x);
        Place in = operand.of(w);
        Place out = output.at(y);
        if (tokens <= config(w).few()) {
            matvec(w, Slicing.HEADS, in, out, tokens, heads, out.buffer(), 0);
        } else {
            long tiles = Math.ceilDiv(tokens, TILE);
            matmul(w, Slicing.HEADS, in, out, tokens, heads, out.buffer(), out.buffer(), tiles, heads);
        }
    }

    /// See {@link dev.panamoe.spi.Ops#gatedMatmul}, of one row.
    void gated(Rows y, Matrix gate, Matrix up, Rows x, Activation activation) {
        operand.begin(x);
        Place out = output.at(y);
        long none = out.buffer();
        gated(gate, up, Slicing.NONE, operand.of(gate), out, 1, 1, none, 0, none, none, false, activation);
    }

    private MatvecConfig config(Matrix w) {
        return configs.apply(w.type());
    }

    /// Whether one kernel can compute both at once.
    static boolean alike(Matrix gate, Matrix up) {
        return gate.type() == up.type() && gate.hasFactors() == up.hasFactors();
    }

    /// Gives a kernel what all three take alike: panels of the piece and sizes of the matrix, input, output.
    private static Kernel give(Kernel k, Piece piece, Matrix w, Place x, Place y) {
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

    /// Whether a work-item computes several rows of it at once, as vectors of a CPU.
    private boolean hasVectors(Matrix w) {
        return cpu && !integers.isFor(w);
    }

    private Kernel matvecKernel(String name, Matrix w, MatvecConfig config, Piece piece) {
        return integers.isFor(w)
                ? integers.matvec(name, w.type(), config, piece.words())
                : kernels.get(name, MATVEC, w.type(), config.options(), piece.words());
    }

    private Kernel matmulKernel(Matrix w, Piece piece) {
        return integers.isFor(w)
                ? integers.matmul(w.type(), piece.words())
                : kernels.get("matmul", cpu ? MATMUL_CPU : MATMUL, w.type(), cpu ? CPU_TILES : TILES, piece.words());
    }

    private void matvec(Matrix w, Slicing slicing, Place x, Place y, int count, int step, long ids, int idsOffset) {
        MatvecConfig config = config(w);
        int tokens = slicing == Slicing.EXPERTS || count == 1 ? 1 : config.several();
        String name = tokens == 1 ? "matvec" : "matvec_several";
        for (int i = 0; i < w.pieces().size(); i++) {
            Piece piece = w.pieces().get(i);
            Kernel k =
                    matvecKernel(name, w, config, piece).buffer(piece.words()).buffer(piece.tails());
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
                            config.group(),
                            Math.ceilDiv(w.panels(), config.panels()),
                            Math.ceilDiv(count, tokens),
                            slicing == Slicing.HEADS ? step : 1);
        }
    }

    /// @param gateBias, upBias any buffers where not `biased`
    private void gated(
            Matrix gate,
            Matrix up,
            Slicing slicing,
            Place x,
            Place y,
            int count,
            int step,
            long ids,
            int idsOffset,
            long gateBias,
            long upBias,
            boolean biased,
            Activation activation) {
        MatvecConfig config = config(gate);
        for (int i = 0; i < gate.pieces().size(); i++) {
            Piece g = gate.pieces().get(i);
            Piece u = up.pieces().get(i);
            Kernel k = matvecKernel("gated_matvec", gate, config, g)
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
                    .launch(queue, config.group(), Math.ceilDiv(gate.panels(), config.panels()), count, 1);
        }
    }

    private void matmul(
            Matrix w,
            Slicing slicing,
            Place x,
            Place y,
            int count,
            int step,
            long tiles,
            long order,
            long tileCount,
            int slices) {
        for (int i = 0; i < w.pieces().size(); i++) {
            Piece piece = w.pieces().get(i);
            Kernel k = matmulKernel(w, piece).buffer(piece.words()).buffer(piece.tails());
            give(k, piece, w, x, y)
                    .value(count)
                    .value(slicing.code)
                    .value(step)
                    .buffer(tiles)
                    .buffer(order)
                    .value(w.hasFactors() ? 1 : 0)
                    .buffer(w.factorsOr(y.buffer()))
                    .launch(
                            queue,
                            hasVectors(w) ? 1 : GROUP,
                            Math.ceilDiv(w.panels(), hasVectors(w) ? 1 : TILE_PANELS),
                            tileCount,
                            slices);
        }
    }

    /// See {@link dev.panamoe.spi.Ops#experts}.
    void experts(Rows y, Experts experts, Rows x, Ids ids, Rows weights) {
        Matrix gate = OpenClWeight.matrix(experts.gate());
        Matrix up = OpenClWeight.matrix(experts.up());
        Matrix down = OpenClWeight.matrix(experts.down());
        int used = ids.cols();
        int pairs = x.rows() * used;
        int hidden = padded(gate.rows());
        int width = down.rows();
        operand.begin(x);
        long h = scratch.of(Part.GATE, (long) pairs * hidden);
        long out = scratch.of(Part.DOWN, (long) pairs * width);
        long idsBuffer = OpenClBuffer.of(ids);
        if (hidden > gate.rows()) {
            memory.zero(h, (long) pairs * hidden * Float.BYTES);
        }
        Experts.Biases biases = experts.biases();
        boolean biased = biases != null;
        long gateBias = biases == null ? h : OpenClWeight.vector(biases.gate());
        long upBias = biases == null ? h : OpenClWeight.vector(biases.up());
        long downBias = biases == null ? h : OpenClWeight.vector(biases.down());
        Place hiddens = gateOutput.at(h, 0, hidden);
        Place outs = downOutput.at(out, 0, width);
        if (x.rows() <= FEW_TOKENS && alike(gate, up)) {
            gated(
                    gate,
                    up,
                    Slicing.EXPERTS,
                    operand.of(gate),
                    hiddens,
                    pairs,
                    used,
                    idsBuffer,
                    ids.offset(),
                    gateBias,
                    upBias,
                    biased,
                    experts.activation());
            matvec(down, Slicing.EXPERTS, inner(down, h, pairs, hidden), outs, pairs, 1, idsBuffer, ids.offset());
        } else {
            long order = scratch.of(Part.ORDER, pairs);
            int slices = gate.slices();
            int tileCount = tiles(pairs, slices);
            long tiles = scratch.of(Part.TILES, 3L * tileCount);
            long u = scratch.of(Part.UP, (long) pairs * hidden);
            sort(order, tiles, idsBuffer, ids.offset(), pairs, slices);
            // Most experts have few tokens or none; no expert has more tiles than all tokens fill.
            Place ups = upOutput.at(u, 0, hidden);
            matmul(gate, Slicing.EXPERTS, operand.of(gate), hiddens, pairs, used, tiles, order, tileCount, 1);
            matmul(up, Slicing.EXPERTS, operand.of(up), ups, pairs, used, tiles, order, tileCount, 1);
            if (biased) {
                expertBias(h, hidden, gateBias, idsBuffer, ids.offset(), pairs, gate.rows());
                expertBias(u, hidden, upBias, idsBuffer, ids.offset(), pairs, gate.rows());
            }
            rowKernels.glu(h, hidden, u, hidden, experts.activation(), pairs, gate.rows());
            Place inner = inner(down, h, pairs, hidden);
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

    /// Hidden values as the second product of a feed-forward reads them.
    private Place inner(Matrix down, long hiddens, int rows, int stride) {
        return integers.isFor(down)
                ? integers.quantise(downInput, hiddens, 0, stride, rows, down.cols())
                : downInput.at(hiddens, 0, stride);
    }

    /// Rows of activations for several weights: in each form that these want once.
    private final class Operand {
        private @Nullable Rows rows;
        private final Place floats = new Place();
        private final Place rounded = new Place();
        private boolean hasFloats;
        private boolean isRounded;

        void begin(Rows of) {
            rows = of;
            hasFloats = false;
            isRounded = false;
        }

        Rows rows() {
            return requireNonNull(rows);
        }

        /// As products with `w` read them.
        Place of(Matrix w) {
            Rows x = rows();
            if (integers.isFor(w)) {
                if (!isRounded) {
                    integers.quantise(rounded, OpenClBuffer.of(x), x.offset(), x.stride(), x.rows(), x.cols());
                    isRounded = true;
                }
                return rounded;
            }
            if (!hasFloats) {
                setFloats(x);
                hasFloats = true;
            }
            return floats;
        }

        /// Where they are, or copied.
        private void setFloats(Rows x) {
            if (x.offset() % 4 == 0 && x.stride() % 4 == 0 && x.cols() % PackedFormat.PANEL == 0) {
                floats.at(x);
                return;
            }
            int stride = padded(x.cols());
            long values = (long) x.rows() * stride;
            long copy = scratch.of(Part.ALIGNED, values);
            if (stride > x.cols()) {
                memory.zero(copy, values * Float.BYTES);
            }
            rowKernels.copy(copy, 0, stride, OpenClBuffer.of(x), x.offset(), x.stride(), x.rows(), x.cols());
            floats.at(copy, 0, stride);
        }
    }
}
