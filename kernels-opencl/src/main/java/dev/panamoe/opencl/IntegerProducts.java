package dev.panamoe.opencl;

import dev.panamoe.opencl.OpenClWeight.Matrix;
import dev.panamoe.opencl.Scratch.Part;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.HashMap;
import java.util.Map;

/// Products of stored integers with activations of 8 bits: the programs of `matvec8.cl` and `matmul8.cl`, whose
/// kernels and arguments are those of `matvec.cl` and `matmul.cl`, and the rounding before them (`quantise.inc`).
final class IntegerProducts {
    /// Words that a group of 32 activations becomes: 32 bytes, their step, the sums of both halves, and one left free.
    private static final int GROUP_WORDS = 12;

    /// Work-items of a work-group that rounds, each four values.
    private static final int GROUP = 256;

    private static final int VALUES = 4;

    static final String MATVEC = "quant.inc integers.inc activation.inc matvec8.cl matvec.cl";
    static final String MATMUL = "quant.inc integers.inc matmul8.cl";

    private final Kernels kernels;
    private final Scratch scratch;
    private final long queue;
    private final boolean used;

    /// For the compiler of products, and of what rounds.
    private final String options;

    private final String matmulOptions;

    /// Kept, so that a launch makes no string.
    private final Map<MatvecConfig, String> matvecOptions = new HashMap<>();

    private final String divisions;

    /// Whether any weight meets rounded activations.
    private boolean rounds;

    /// Values of the widest input of such weights, of one token.
    private long widest;

    /// @param used whether activations are rounded at all
    IntegerProducts(ClDevice device, Kernels kernels, Scratch scratch, long queue, boolean used) {
        this.kernels = kernels;
        this.scratch = scratch;
        this.queue = queue;
        this.used = used;
        this.options = device.dot4Options();
        this.matmulOptions = Products.TILES + " " + options;
        // Without, a value in the middle of two steps may be rounded to the other one than the reference's.
        this.divisions = device.exactDivisions() ? "-cl-fp32-correctly-rounded-divide-sqrt" : "";
    }

    /// Whether a weight is multiplied with rounded activations: what {@link Rounding#isFor} says of its tensor.
    boolean isFor(Matrix w) {
        return used && !w.hasFactors() && Rounding.TYPES.contains(w.type());
    }

    /// Says that a weight is about to be used.
    void prepare(TensorView weight, WeightUse use) {
        if (used && Rounding.isFor(weight, use)) {
            long heads = use == WeightUse.MATMUL_PER_HEAD ? weight.shape().slices() : 1;
            rounds = true;
            widest = Math.max(widest, heads * weight.shape().cols());
        }
    }

    /// See {@link dev.panamoe.spi.Device#arithmetic}.
    Arithmetic arithmetic() {
        return rounds ? Arithmetic.INT8 : Arithmetic.F32;
    }

    /// Takes memory for the largest input: see {@link dev.panamoe.spi.Device#reserve}.
    void reserve(ModelSpec spec, int maxRows) {
        if (!rounds) {
            return;
        }
        long values = widest;
        for (LayerSpec layer : spec.layers()) {
            if (layer.feedForward() instanceof Moe f) {
                values = Math.max(values, (long) f.router().used() * f.width());
            }
        }
        scratch.reserve(Part.ROUNDED, maxRows * words(values));
    }

    /// What so many values become.
    private static long words(long values) {
        return Math.ceilDiv(values, (long) Rounding.BLOCK) * GROUP_WORDS;
    }

    /// A kernel of `matvec8.cl`.
    ///
    /// @param config one whose work-items read one row at once
    Kernel matvec(String name, QuantType type, MatvecConfig config, long instance) {
        String all = matvecOptions.get(config);
        if (all == null) {
            all = config.options() + " " + options;
            matvecOptions.put(config, all);
        }
        return kernels.get(name, MATVEC, type, all, instance);
    }

    /// A kernel of `matmul8.cl`.
    Kernel matmul(QuantType type, long instance) {
        return kernels.get("matmul", MATMUL, type, matmulOptions, instance);
    }

    /// Rounds rows, until the next rows are rounded.
    ///
    /// @param target is set to where they are then
    /// @param cols a multiple of 32
    Place quantise(Place target, long x, int offset, int stride, int rows, int cols) {
        int words = (int) words(cols);
        long y = scratch.of(Part.ROUNDED, (long) rows * words);
        // Work-items count values in an int.
        int items = Math.toIntExact((long) rows * cols / VALUES);
        kernels.get("quantise", "quantise.inc", null, divisions)
                .buffer(y)
                .buffer(x)
                .value(offset)
                .value(stride)
                .value(rows)
                .value(cols)
                .launch(queue, GROUP, Math.ceilDiv(items, GROUP), 1, 1);
        return target.at(y, 0, words);
    }
}
