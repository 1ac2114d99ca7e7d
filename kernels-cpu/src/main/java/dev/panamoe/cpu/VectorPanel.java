package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.I;
import static dev.panamoe.cpu.Simd.L;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/// Activations as the Vector API kernels read them, in heap arrays: a broadcast from one is a single load.
///
/// A token that is a tile of its own is multiplied in 16-bit lanes: 32 columns are sixteen words of two 16-bit values.
/// Word `4m + i` (`i` < 2) holds columns `4m + i` and `4m + i + 2`, word `4m + i + 2` the same of columns 16 further:
/// that is what the bytes of packed weights pair up to, and what two vectors of columns become without crossing each
/// other. Tokens of larger tiles are multiplied in float lanes, where whole numbers of this size are exact too.
final class VectorPanel implements Panel {
    /// Columns of a block of 8-bit values.
    static final int BLOCK = 32;

    /// Columns of a block of floats in tiles of several tokens; see {@link #values}.
    static final int FLOAT_BLOCK = 128;

    /// Kernels work on whole groups of tokens and read what lies behind a tile; what they make of it is dropped.
    private static final int SLACK = TILE * FLOAT_BLOCK;

    /// Adding and subtracting it rounds a float of up to 2^22 to a whole number, to even.
    private static final float ROUND = 0x1.8p23f;

    private static final VectorShuffle<Integer> TWO_UP = VectorShuffle.fromOp(I, l -> (l + 2) % L);
    private static final VectorShuffle<Integer> TWO_DOWN = VectorShuffle.fromOp(I, l -> (l + L - 2) % L);
    private static final VectorMask<Integer> UPPER_PAIRS = VectorMask.fromLong(I, 0xcccc);

    /// The 8-bit values of token `t` of a tile of `n` that begins at token `first`, block `b`, begin at element
    /// `(first * blocks + b * n + t) * 32`: pairs as said above if `n` is 1, floats in the order of columns if not.
    ///
    /// Float activations: a tile of one has its columns in order from `first * blocks * 128` on. In a larger one, token
    /// `t` has those of block `b` at `(first * blocks + b * n + t) * 128`: first the columns `4u`, then `4u + 1`,
    /// `4u + 2`, `4u + 3`, up to 32 each.
    int[] values = new int[0];

    /// Scales: `first * blocks + b * n + t`.
    float[] scales = new float[0];

    /// Sums of the pairs of both halves of a block, each two 16-bit numbers, from element
    /// `2 * (first * blocks + b * n + t)` on.
    int[] sums = new int[0];

    /// Where sums begin: the offset's cost as a whole number (both halves of a block or one after the other), or what
    /// minima are multiplied with. Order as `scales`, or as `sums` for halves.
    float[] starts = new float[0];

    private PackedType type = PackedType.Q4_0;

    /// Columns of a token.
    int cols;

    /// Blocks of a token.
    int blocks;

    @Override
    public void reset(PackedType type, int cols, int tokens) {
        this.type = type;
        this.cols = cols;
        blocks = Math.ceilDiv(cols, type.floatActivations() ? FLOAT_BLOCK : BLOCK);
        int blockCols = type.floatActivations() ? FLOAT_BLOCK : BLOCK;
        int n = Math.multiplyExact(blocks, tokens);
        values = Scratch.atLeast(values, Math.addExact(Math.multiplyExact(n, blockCols), SLACK));
        if (!type.floatActivations()) {
            scales = Scratch.atLeast(scales, n + TILE);
            sums = Scratch.atLeast(sums, 2 * (n + TILE));
            starts = Scratch.atLeast(starts, 2 * (n + TILE));
        }
    }

    @Override
    public void set(int first, int count, int slot, float[] x, int at) {
        if (type.floatActivations()) {
            setFloats(first, count, slot, x, at);
            return;
        }
        int whole = cols / BLOCK;
        for (int b = 0; b < whole; b++) {
            int e = first * blocks + b * count + slot;
            if (count == 1) {
                quantizePairs(x, at + b * BLOCK, e);
            } else {
                quantizeFloats(x, at + b * BLOCK, e);
            }
            start(e);
        }
        if (whole < blocks) {
            float[] rest = new float[BLOCK];
            System.arraycopy(x, at + whole * BLOCK, rest, 0, cols - whole * BLOCK);
            int e = first * blocks + whole * count + slot;
            if (count == 1) {
                quantizePairs(rest, 0, e);
            } else {
                quantizeFloats(rest, 0, e);
            }
            start(e);
        }
    }

    /// Quantises a block to pairs. Vectors of columns `c` and `c + 16` give one vector of pairs.
    private void quantizePairs(float[] x, int at, int e) {
        IntVector most = IntVector.zero(I);
        for (int c = 0; c < BLOCK; c += L) {
            // Magnitudes as their bits: the order is the same, with NaN above all.
            most = most.max(
                    FloatVector.fromArray(F, x, at + c).reinterpretAsInts().and(0x7fffffff));
        }
        float max = Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
        float inverse = max == 0 ? 0 : 127 / max;
        scales[e] = max / 127;
        // A maximum near the smallest number there is makes `inverse` infinite: hence the clamp.
        IntVector low = IntVector.zero(I);
        IntVector high = low;
        for (int c = 0; c < BLOCK / 2; c += L) {
            IntVector v = (IntVector) FloatVector.fromArray(F, x, at + c)
                    .mul(inverse)
                    .add(ROUND)
                    .sub(ROUND)
                    .convert(VectorOperators.F2I, 0);
            v = v.max(-127).min(127);
            IntVector w = (IntVector) FloatVector.fromArray(F, x, at + c + BLOCK / 2)
                    .mul(inverse)
                    .add(ROUND)
                    .sub(ROUND)
                    .convert(VectorOperators.F2I, 0);
            w = w.max(-127).min(127);
            low = low.add(v);
            high = high.add(w);
            IntVector a = v.blend(w.rearrange(TWO_DOWN), UPPER_PAIRS);
            IntVector b = v.rearrange(TWO_UP).blend(w, UPPER_PAIRS);
            a.and(0xffff).or(b.lanewise(VectorOperators.LSHL, 16)).intoArray(values, e * BLOCK + c);
        }
        sums[2 * e] = pair(
                low.blend(low.lanewise(VectorOperators.LSHL, 16), UPPER_PAIRS).reduceLanes(VectorOperators.ADD));
        sums[2 * e + 1] = pair(
                high.blend(high.lanewise(VectorOperators.LSHL, 16), UPPER_PAIRS).reduceLanes(VectorOperators.ADD));
    }

    /// Quantises a block to floats.
    private void quantizeFloats(float[] x, int at, int e) {
        IntVector most = IntVector.zero(I);
        for (int c = 0; c < BLOCK; c += L) {
            most = most.max(
                    FloatVector.fromArray(F, x, at + c).reinterpretAsInts().and(0x7fffffff));
        }
        float max = Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
        float inverse = max == 0 ? 0 : 127 / max;
        scales[e] = max / 127;
        IntVector low = IntVector.zero(I);
        IntVector high = low;
        for (int c = 0; c < BLOCK / 2; c += L) {
            // By way of whole numbers, which know neither NaN nor a zero with a sign.
            IntVector v = (IntVector) FloatVector.fromArray(F, x, at + c)
                    .mul(inverse)
                    .add(ROUND)
                    .sub(ROUND)
                    .convert(VectorOperators.F2I, 0);
            v = v.max(-127).min(127);
            IntVector w = (IntVector) FloatVector.fromArray(F, x, at + c + BLOCK / 2)
                    .mul(inverse)
                    .add(ROUND)
                    .sub(ROUND)
                    .convert(VectorOperators.F2I, 0);
            w = w.max(-127).min(127);
            low = low.add(v);
            high = high.add(w);
            v.convert(VectorOperators.I2F, 0).reinterpretAsInts().intoArray(values, e * BLOCK + c);
            w.convert(VectorOperators.I2F, 0).reinterpretAsInts().intoArray(values, e * BLOCK + c + BLOCK / 2);
        }
        sums[2 * e] = pair(
                low.blend(low.lanewise(VectorOperators.LSHL, 16), UPPER_PAIRS).reduceLanes(VectorOperators.ADD));
        sums[2 * e + 1] = pair(
                high.blend(high.lanewise(VectorOperators.LSHL, 16), UPPER_PAIRS).reduceLanes(VectorOperators.ADD));
    }

    /// Of `low + 65536 * high` a word that holds both, each in its half.
    private static int pair(int sum) {
        int low = (short) sum;
        return (low & 0xffff) | (sum - low & 0xffff0000);
    }

    /// The sum of both numbers of a pair.
    private static int total(int pair) {
        return (short) pair + (pair >> 16);
    }

    private void start(int e) {
        int low = total(sums[2 * e]);
        int high = total(sums[2 * e + 1]);
        switch (type.correction()) {
            case OFFSET -> starts[e] = -type.offset() * (low + high);
            case OFFSET_OF_HALVES -> {
                starts[2 * e] = -type.offset() * low;
                starts[2 * e + 1] = -type.offset() * high;
            }
            case MINIMA -> starts[e] = scales[e] * (low + high);
            case FLOATS -> throw new IllegalStateException();
        }
    }

    private void setFloats(int first, int count, int slot, float[] x, int at) {
        if (count == 1) {
            int o = first * blocks * FLOAT_BLOCK;
            for (int c = 0; c < cols; c++) {
                values[o + c] = Float.floatToRawIntBits(x[at + c]);
            }
            Arrays.fill(values, o + cols, o + blocks * FLOAT_BLOCK, 0);
            return;
        }
        for (int b = 0; b < blocks; b++) {
            int o = (first * blocks + b * count + slot) * FLOAT_BLOCK;
            int n = Math.min(FLOAT_BLOCK, cols - b * FLOAT_BLOCK);
            int from = at + b * FLOAT_BLOCK;
            Arrays.fill(values, o, o + FLOAT_BLOCK, 0);
            for (int u = 0; u < n / 4; u++) {
                values[o + u] = Float.floatToRawIntBits(x[from + 4 * u]);
                values[o + u + 32] = Float.floatToRawIntBits(x[from + 4 * u + 1]);
                values[o + u + 64] = Float.floatToRawIntBits(x[from + 4 * u + 2]);
                values[o + u + 96] = Float.floatToRawIntBits(x[from + 4 * u + 3]);
            }
            for (int c = n & -4; c < n; c++) {
                values[o + c % 4 * 32 + c / 4] = Float.floatToRawIntBits(x[from + c]);
            }
        }
    }

    @Override
    public void copy(int first, int count, int slot, Panel other, int token) {
        VectorPanel from = (VectorPanel) other;
        if (from.cols != cols || from.type != type) {
            throw new IllegalArgumentException("not a panel of the same form");
        }
        int blockCols = type.floatActivations() ? FLOAT_BLOCK : BLOCK;
        int at = token * blocks;
        if (count == 1) {
            System.arraycopy(from.values, at * blockCols, values, first * blocks * blockCols, blocks * blockCols);
        } else if (type.floatActivations()) {
            for (int b = 0; b < blocks; b++) {
                int o = (first * blocks + b * count + slot) * FLOAT_BLOCK;
                int s = (at + b) * FLOAT_BLOCK;
                for (int u = 0; u < 32; u++) {
                    values[o + u] = from.values[s + 4 * u];
                    values[o + u + 32] = from.values[s + 4 * u + 1];
                    values[o + u + 64] = from.values[s + 4 * u + 2];
                    values[o + u + 96] = from.values[s + 4 * u + 3];
                }
            }
        } else {
            for (int b = 0; b < blocks; b++) {
                unpair(from.values, (at + b) * BLOCK, values, (first * blocks + b * count + slot) * BLOCK);
            }
        }
        if (type.floatActivations()) {
            return;
        }
        for (int b = 0; b < blocks; b++) {
            int e = first * blocks + b * count + slot;
            scales[e] = from.scales[at + b];
            sums[2 * e] = from.sums[2 * (at + b)];
            sums[2 * e + 1] = from.sums[2 * (at + b) + 1];
            if (type.correction() == PackedType.Correction.OFFSET_OF_HALVES) {
                starts[2 * e] = from.starts[2 * (at + b)];
                starts[2 * e + 1] = from.starts[2 * (at + b) + 1];
            } else {
                starts[e] = from.starts[at + b];
            }
        }
    }

    /// A block of pairs as floats.
    private static void unpair(int[] from, int at, int[] to, int o) {
        for (int c = 0; c < BLOCK / 2; c += L) {
            IntVector pairs = IntVector.fromArray(I, from, at + c);
            IntVector a = pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
            IntVector b = pairs.lanewise(VectorOperators.ASHR, 16);
            a.blend(b.rearrange(TWO_DOWN), UPPER_PAIRS)
                    .convert(VectorOperators.I2F, 0)
                    .reinterpretAsInts()
                    .intoArray(to, o + c);
            a.rearrange(TWO_UP)
                    .blend(b, UPPER_PAIRS)
                    .convert(VectorOperators.I2F, 0)
                    .reinterpretAsInts()
                    .intoArray(to, o + c + BLOCK / 2);
        }
    }

    @Override
    public void close() {
        // Heap arrays go with the panel.
    }
}
