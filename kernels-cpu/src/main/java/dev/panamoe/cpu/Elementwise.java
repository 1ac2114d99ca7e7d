package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.spec.Activation;
import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/// Operations on one row. A value is computed by the same operations whether it lies in a whole vector or in the rest.
final class Elementwise {
    private Elementwise() {}

    /// `y = x / sqrt(mean(x^2) + eps) * w`; `y` may be `x`.
    static void rmsNorm(
            float[] y, int yAt, float[] x, int xAt, float @Nullable [] w, int n, float eps, Scratch scratch) {
        scratch.sums = Scratch.atLeast(scratch.sums, SUMS);
        double squares = squares(x, xAt, n, scratch.sums);
        float factor = (float) (1 / Math.sqrt(squares / n + eps));
        int whole = n - n % L;
        if (w == null) {
            for (int i = 0; i < whole; i += L) {
                FloatVector.fromArray(F, x, xAt + i).mul(factor).intoArray(y, yAt + i);
            }
            for (int i = whole; i < n; i++) {
                y[yAt + i] = x[xAt + i] * factor;
            }
            return;
        }
        for (int i = 0; i < whole; i += L) {
            FloatVector.fromArray(F, x, xAt + i)
                    .mul(factor)
                    .mul(FloatVector.fromArray(F, w, i))
                    .intoArray(y, yAt + i);
        }
        for (int i = whole; i < n; i++) {
            y[yAt + i] = x[xAt + i] * factor * w[i];
        }
    }

    private static double squares(float[] x, int at, int n, float[] sums) {
        int whole = n & -SUMS;
        for (int part = 0; part < SUMS; part += L) {
            FloatVector a = FloatVector.zero(F);
            for (int i = part; i < whole; i += SUMS) {
                FloatVector v = FloatVector.fromArray(F, x, at + i);
                a = v.fma(v, a);
            }
            a.intoArray(sums, part);
        }
        for (int i = whole; i < n; i++) {
            sums[i - whole] = Math.fma(x[at + i], x[at + i], sums[i - whole]);
        }
        float total = Tile.total(sums, 0);
        if (total > 1e-20f && total < Float.POSITIVE_INFINITY) {
            return total;
        }
        // Squares beyond the range of a float, or none: again in double.
        double exact = 0;
        for (int i = 0; i < n; i++) {
            exact += (double) x[at + i] * x[at + i];
        }
        return exact;
    }

    /// `y = activation(gate, up)`; `y` may be either.
    static void glu(Activation activation, float[] y, int yAt, float[] gate, int gateAt, float[] up, int upAt, int n) {
        // A method each: the JIT boxes vectors that meet from two branches.
        switch (activation) {
            case SILU -> siluGlu(y, yAt, gate, gateAt, up, upAt, n);
            case GELU_TANH -> geluGlu(y, yAt, gate, gateAt, up, upAt, n);
            case SWIGLU_CLAMPED -> clampedSwiglu(y, yAt, gate, gateAt, up, upAt, n);
        }
    }

    private static void siluGlu(float[] y, int yAt, float[] gate, int gateAt, float[] up, int upAt, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            VectorMath.silu(FloatVector.fromArray(F, gate, gateAt + i))
                    .mul(FloatVector.fromArray(F, up, upAt + i))
                    .intoArray(y, yAt + i);
        }
        if (whole < n) {
            VectorMask<Float> rest = F.indexInRange(whole, n);
            VectorMath.silu(FloatVector.fromArray(F, gate, gateAt + whole, rest))
                    .mul(FloatVector.fromArray(F, up, upAt + whole, rest))
                    .intoArray(y, yAt + whole, rest);
        }
    }

    private static void geluGlu(float[] y, int yAt, float[] gate, int gateAt, float[] up, int upAt, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            VectorMath.gelu(FloatVector.fromArray(F, gate, gateAt + i))
                    .mul(FloatVector.fromArray(F, up, upAt + i))
                    .intoArray(y, yAt + i);
        }
        if (whole < n) {
            VectorMask<Float> rest = F.indexInRange(whole, n);
            VectorMath.gelu(FloatVector.fromArray(F, gate, gateAt + whole, rest))
                    .mul(FloatVector.fromArray(F, up, upAt + whole, rest))
                    .intoArray(y, yAt + whole, rest);
        }
    }

    private static void clampedSwiglu(float[] y, int yAt, float[] gate, int gateAt, float[] up, int upAt, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            VectorMath.clampedSwiglu(FloatVector.fromArray(F, gate, gateAt + i), FloatVector.fromArray(F, up, upAt + i))
                    .intoArray(y, yAt + i);
        }
        if (whole < n) {
            VectorMask<Float> rest = F.indexInRange(whole, n);
            VectorMath.clampedSwiglu(
                            FloatVector.fromArray(F, gate, gateAt + whole, rest),
                            FloatVector.fromArray(F, up, upAt + whole, rest))
                    .intoArray(y, yAt + whole, rest);
        }
    }

    /// Turns pairs `(i, i + pairs)` of `x` by the angles of the `t`-th position.
    static void ropeHalves(float[] x, int at, int pairs, RopeTables.Table table, int t) {
        float[] cos = table.cos();
        float[] sin = table.sin();
        int angle = t * pairs;
        int whole = pairs - pairs % L;
        for (int i = 0; i < whole; i += L) {
            FloatVector c = FloatVector.fromArray(F, cos, angle + i);
            FloatVector s = FloatVector.fromArray(F, sin, angle + i);
            FloatVector a = FloatVector.fromArray(F, x, at + i);
            FloatVector b = FloatVector.fromArray(F, x, at + pairs + i);
            a.mul(c).sub(b.mul(s)).intoArray(x, at + i);
            a.mul(s).add(b.mul(c)).intoArray(x, at + pairs + i);
        }
        for (int i = whole; i < pairs; i++) {
            float a = x[at + i];
            float b = x[at + pairs + i];
            x[at + i] = a * cos[angle + i] - b * sin[angle + i];
            x[at + pairs + i] = a * sin[angle + i] + b * cos[angle + i];
        }
    }

    /// Turns pairs `(2i, 2i + 1)` of `x` by the angles of the `t`-th position.
    static void ropeInterleaved(float[] x, int at, int pairs, RopeTables.Table table, int t) {
        float[] cos = table.cos();
        float[] sin = table.sin();
        int angle = t * pairs;
        for (int i = 0; i < pairs; i++) {
            float a = x[at + 2 * i];
            float b = x[at + 2 * i + 1];
            x[at + 2 * i] = a * cos[angle + i] - b * sin[angle + i];
            x[at + 2 * i + 1] = a * sin[angle + i] + b * cos[angle + i];
        }
    }

    /// `y += x`.
    static void add(float[] y, int yAt, float[] x, int xAt, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            FloatVector.fromArray(F, y, yAt + i)
                    .add(FloatVector.fromArray(F, x, xAt + i))
                    .intoArray(y, yAt + i);
        }
        for (int i = whole; i < n; i++) {
            y[yAt + i] += x[xAt + i];
        }
    }

    /// `y += x`, where `x` are floats from byte `offset` of `src` on.
    static void add(float[] y, int yAt, MemorySegment src, long offset, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            FloatVector.fromArray(F, y, yAt + i)
                    .add(Simd.floats(src, offset + 4L * i))
                    .intoArray(y, yAt + i);
        }
        for (int i = whole; i < n; i++) {
            y[yAt + i] += src.get(LittleEndian.F32, offset + 4L * i);
        }
    }

    /// `y *= factor`.
    static void scale(float[] y, int yAt, float factor, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            FloatVector.fromArray(F, y, yAt + i).mul(factor).intoArray(y, yAt + i);
        }
        for (int i = whole; i < n; i++) {
            y[yAt + i] *= factor;
        }
    }

    /// `y = cap * tanh(y / cap)`.
    static void softcap(float[] y, int yAt, float cap, int n) {
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            VectorMath.tanh(FloatVector.fromArray(F, y, yAt + i).div(cap))
                    .mul(cap)
                    .intoArray(y, yAt + i);
        }
        if (whole < n) {
            VectorMask<Float> rest = F.indexInRange(whole, n);
            VectorMath.tanh(FloatVector.fromArray(F, y, yAt + whole, rest).div(cap))
                    .mul(cap)
                    .intoArray(y, yAt + whole, rest);
        }
    }
}
