package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.I;
import static dev.panamoe.cpu.Simd.L;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/// Products of packed weights with a tile of several tokens. Some blocks of two groups of rows are unpacked to a small
/// panel of floats, which are whole numbers here: sums of a block stay below 2^24, so multiply-adds of floats give
/// exactly what whole numbers would. The panel is `(k, 32)`, rows innermost.
final class PackedTiles {
    /// Rows of the panel: two groups.
    static final int ROWS = 2 * PackedType.ROWS;

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    /// Make single bytes of the first quarter of a vector: each word in four lanes, shifted. What follows is never the
    /// end of a weight. Vectors of bytes would be boxed in some runs on their way to lanes.
    static final VectorShuffle<Integer> QUARTERS = VectorShuffle.fromOp(I, l -> l / 4);

    static final IntVector BYTE_SHIFTS = IntVector.zero(I).addIndex(8).and(31);

    private PackedTiles() {}

    /// A block, or half of one, with eight tokens: `c = fma(i * scales[e + t], d, c)` for each token and row, `d` being
    /// `weights[d ...]` and `i` what begins at `starts[s + t * sStep]` and adds
    /// `panel[p + k * 32 + r] * x[xAt + t * 32 + k]` for `count` columns. Results are `c[cAt + t * 32 + r]`.
    static void multiply8(
            float[] panel,
            int p,
            int count,
            int[] x,
            int xAt,
            float[] starts,
            int s,
            int sStep,
            float[] scales,
            int e,
            float[] weights,
            int d,
            float[] c,
            int cAt) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            FloatVector a0 = FloatVector.broadcast(F, starts[s]);
            FloatVector b0 = a0;
            FloatVector a1 = FloatVector.broadcast(F, starts[s + sStep]);
            FloatVector b1 = a1;
            FloatVector a2 = FloatVector.broadcast(F, starts[s + 2 * sStep]);
            FloatVector b2 = a2;
            FloatVector a3 = FloatVector.broadcast(F, starts[s + 3 * sStep]);
            FloatVector b3 = a3;
            FloatVector a4 = FloatVector.broadcast(F, starts[s + 4 * sStep]);
            FloatVector b4 = a4;
            FloatVector a5 = FloatVector.broadcast(F, starts[s + 5 * sStep]);
            FloatVector b5 = a5;
            FloatVector a6 = FloatVector.broadcast(F, starts[s + 6 * sStep]);
            FloatVector b6 = a6;
            FloatVector a7 = FloatVector.broadcast(F, starts[s + 7 * sStep]);
            FloatVector b7 = a7;
            for (int k = 0; k < count; k++) {
                int o = xAt + k;
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[o + VectorPanel.BLOCK]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[o + 2 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[o + 3 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
                f = IntVector.broadcast(I, x[o + 4 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a4 = v.fma(f, a4);
                b4 = w.fma(f, b4);
                f = IntVector.broadcast(I, x[o + 5 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a5 = v.fma(f, a5);
                b5 = w.fma(f, b5);
                f = IntVector.broadcast(I, x[o + 6 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a6 = v.fma(f, a6);
                b6 = w.fma(f, b6);
                f = IntVector.broadcast(I, x[o + 7 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a7 = v.fma(f, a7);
                b7 = w.fma(f, b7);
            }
            FloatVector w0 = FloatVector.fromArray(F, weights, d + r);
            FloatVector w1 = FloatVector.fromArray(F, weights, d + r + L);
            FloatVector scale = FloatVector.broadcast(F, scales[e]);
            a0.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r)).intoArray(c, cAt + r);
            b0.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + L)).intoArray(c, cAt + r + L);
            scale = FloatVector.broadcast(F, scales[e + 1]);
            a1.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 32)).intoArray(c, cAt + r + 32);
            b1.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 32 + L)).intoArray(c, cAt + r + 32 + L);
            scale = FloatVector.broadcast(F, scales[e + 2]);
            a2.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 64)).intoArray(c, cAt + r + 64);
            b2.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 64 + L)).intoArray(c, cAt + r + 64 + L);
            scale = FloatVector.broadcast(F, scales[e + 3]);
            a3.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 96)).intoArray(c, cAt + r + 96);
            b3.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 96 + L)).intoArray(c, cAt + r + 96 + L);
            scale = FloatVector.broadcast(F, scales[e + 4]);
            a4.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 128)).intoArray(c, cAt + r + 128);
            b4.mul(scale)
                    .fma(w1, FloatVector.fromArray(F, c, cAt + r + 128 + L))
                    .intoArray(c, cAt + r + 128 + L);
            scale = FloatVector.broadcast(F, scales[e + 5]);
            a5.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 160)).intoArray(c, cAt + r + 160);
            b5.mul(scale)
                    .fma(w1, FloatVector.fromArray(F, c, cAt + r + 160 + L))
                    .intoArray(c, cAt + r + 160 + L);
            scale = FloatVector.broadcast(F, scales[e + 6]);
            a6.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 192)).intoArray(c, cAt + r + 192);
            b6.mul(scale)
                    .fma(w1, FloatVector.fromArray(F, c, cAt + r + 192 + L))
                    .intoArray(c, cAt + r + 192 + L);
            scale = FloatVector.broadcast(F, scales[e + 7]);
            a7.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 224)).intoArray(c, cAt + r + 224);
            b7.mul(scale)
                    .fma(w1, FloatVector.fromArray(F, c, cAt + r + 224 + L))
                    .intoArray(c, cAt + r + 224 + L);
        }
    }

    /// {@link #multiply8} for four tokens.
    static void multiply4(
            float[] panel,
            int p,
            int count,
            int[] x,
            int xAt,
            float[] starts,
            int s,
            int sStep,
            float[] scales,
            int e,
            float[] weights,
            int d,
            float[] c,
            int cAt) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            FloatVector a0 = FloatVector.broadcast(F, starts[s]);
            FloatVector b0 = a0;
            FloatVector a1 = FloatVector.broadcast(F, starts[s + sStep]);
            FloatVector b1 = a1;
            FloatVector a2 = FloatVector.broadcast(F, starts[s + 2 * sStep]);
            FloatVector b2 = a2;
            FloatVector a3 = FloatVector.broadcast(F, starts[s + 3 * sStep]);
            FloatVector b3 = a3;
            for (int k = 0; k < count; k++) {
                int o = xAt + k;
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[o + VectorPanel.BLOCK]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[o + 2 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[o + 3 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
            }
            FloatVector w0 = FloatVector.fromArray(F, weights, d + r);
            FloatVector w1 = FloatVector.fromArray(F, weights, d + r + L);
            FloatVector scale = FloatVector.broadcast(F, scales[e]);
            a0.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r)).intoArray(c, cAt + r);
            b0.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + L)).intoArray(c, cAt + r + L);
            scale = FloatVector.broadcast(F, scales[e + 1]);
            a1.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 32)).intoArray(c, cAt + r + 32);
            b1.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 32 + L)).intoArray(c, cAt + r + 32 + L);
            scale = FloatVector.broadcast(F, scales[e + 2]);
            a2.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 64)).intoArray(c, cAt + r + 64);
            b2.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 64 + L)).intoArray(c, cAt + r + 64 + L);
            scale = FloatVector.broadcast(F, scales[e + 3]);
            a3.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 96)).intoArray(c, cAt + r + 96);
            b3.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 96 + L)).intoArray(c, cAt + r + 96 + L);
        }
    }

    /// {@link #multiply8} for weights with minima: sums begin at zero, and then `c = fma(m, starts[e + t], c)`, `m`
    /// being `weights[m ...]`.
    static void minima8(
            float[] panel,
            int p,
            int count,
            int[] x,
            int xAt,
            float[] starts,
            float[] scales,
            int e,
            float[] weights,
            int d,
            int m,
            float[] c,
            int cAt) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector b0 = a0;
            FloatVector a1 = a0;
            FloatVector b1 = a0;
            FloatVector a2 = a0;
            FloatVector b2 = a0;
            FloatVector a3 = a0;
            FloatVector b3 = a0;
            FloatVector a4 = a0;
            FloatVector b4 = a0;
            FloatVector a5 = a0;
            FloatVector b5 = a0;
            FloatVector a6 = a0;
            FloatVector b6 = a0;
            FloatVector a7 = a0;
            FloatVector b7 = a0;
            for (int k = 0; k < count; k++) {
                int o = xAt + k;
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[o + VectorPanel.BLOCK]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[o + 2 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[o + 3 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
                f = IntVector.broadcast(I, x[o + 4 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a4 = v.fma(f, a4);
                b4 = w.fma(f, b4);
                f = IntVector.broadcast(I, x[o + 5 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a5 = v.fma(f, a5);
                b5 = w.fma(f, b5);
                f = IntVector.broadcast(I, x[o + 6 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a6 = v.fma(f, a6);
                b6 = w.fma(f, b6);
                f = IntVector.broadcast(I, x[o + 7 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a7 = v.fma(f, a7);
                b7 = w.fma(f, b7);
            }
            FloatVector w0 = FloatVector.fromArray(F, weights, d + r);
            FloatVector w1 = FloatVector.fromArray(F, weights, d + r + L);
            FloatVector m0 = FloatVector.fromArray(F, weights, m + r);
            FloatVector m1 = FloatVector.fromArray(F, weights, m + r + L);
            FloatVector scale = FloatVector.broadcast(F, scales[e]);
            FloatVector start = FloatVector.broadcast(F, starts[e]);
            m0.fma(start, a0.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r)))
                    .intoArray(c, cAt + r);
            m1.fma(start, b0.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + L)))
                    .intoArray(c, cAt + r + L);
            scale = FloatVector.broadcast(F, scales[e + 1]);
            start = FloatVector.broadcast(F, starts[e + 1]);
            m0.fma(start, a1.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 32)))
                    .intoArray(c, cAt + r + 32);
            m1.fma(start, b1.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 32 + L)))
                    .intoArray(c, cAt + r + 32 + L);
            scale = FloatVector.broadcast(F, scales[e + 2]);
            start = FloatVector.broadcast(F, starts[e + 2]);
            m0.fma(start, a2.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 64)))
                    .intoArray(c, cAt + r + 64);
            m1.fma(start, b2.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 64 + L)))
                    .intoArray(c, cAt + r + 64 + L);
            scale = FloatVector.broadcast(F, scales[e + 3]);
            start = FloatVector.broadcast(F, starts[e + 3]);
            m0.fma(start, a3.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 96)))
                    .intoArray(c, cAt + r + 96);
            m1.fma(start, b3.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 96 + L)))
                    .intoArray(c, cAt + r + 96 + L);
            scale = FloatVector.broadcast(F, scales[e + 4]);
            start = FloatVector.broadcast(F, starts[e + 4]);
            m0.fma(start, a4.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 128)))
                    .intoArray(c, cAt + r + 128);
            m1.fma(start, b4.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 128 + L)))
                    .intoArray(c, cAt + r + 128 + L);
            scale = FloatVector.broadcast(F, scales[e + 5]);
            start = FloatVector.broadcast(F, starts[e + 5]);
            m0.fma(start, a5.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 160)))
                    .intoArray(c, cAt + r + 160);
            m1.fma(start, b5.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 160 + L)))
                    .intoArray(c, cAt + r + 160 + L);
            scale = FloatVector.broadcast(F, scales[e + 6]);
            start = FloatVector.broadcast(F, starts[e + 6]);
            m0.fma(start, a6.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 192)))
                    .intoArray(c, cAt + r + 192);
            m1.fma(start, b6.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 192 + L)))
                    .intoArray(c, cAt + r + 192 + L);
            scale = FloatVector.broadcast(F, scales[e + 7]);
            start = FloatVector.broadcast(F, starts[e + 7]);
            m0.fma(start, a7.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 224)))
                    .intoArray(c, cAt + r + 224);
            m1.fma(start, b7.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 224 + L)))
                    .intoArray(c, cAt + r + 224 + L);
        }
    }

    /// {@link #minima8} for four tokens.
    static void minima4(
            float[] panel,
            int p,
            int count,
            int[] x,
            int xAt,
            float[] starts,
            float[] scales,
            int e,
            float[] weights,
            int d,
            int m,
            float[] c,
            int cAt) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector b0 = a0;
            FloatVector a1 = a0;
            FloatVector b1 = a0;
            FloatVector a2 = a0;
            FloatVector b2 = a0;
            FloatVector a3 = a0;
            FloatVector b3 = a0;
            for (int k = 0; k < count; k++) {
                int o = xAt + k;
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[o + VectorPanel.BLOCK]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[o + 2 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[o + 3 * VectorPanel.BLOCK]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
            }
            FloatVector w0 = FloatVector.fromArray(F, weights, d + r);
            FloatVector w1 = FloatVector.fromArray(F, weights, d + r + L);
            FloatVector m0 = FloatVector.fromArray(F, weights, m + r);
            FloatVector m1 = FloatVector.fromArray(F, weights, m + r + L);
            FloatVector scale = FloatVector.broadcast(F, scales[e]);
            FloatVector start = FloatVector.broadcast(F, starts[e]);
            m0.fma(start, a0.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r)))
                    .intoArray(c, cAt + r);
            m1.fma(start, b0.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + L)))
                    .intoArray(c, cAt + r + L);
            scale = FloatVector.broadcast(F, scales[e + 1]);
            start = FloatVector.broadcast(F, starts[e + 1]);
            m0.fma(start, a1.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 32)))
                    .intoArray(c, cAt + r + 32);
            m1.fma(start, b1.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 32 + L)))
                    .intoArray(c, cAt + r + 32 + L);
            scale = FloatVector.broadcast(F, scales[e + 2]);
            start = FloatVector.broadcast(F, starts[e + 2]);
            m0.fma(start, a2.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 64)))
                    .intoArray(c, cAt + r + 64);
            m1.fma(start, b2.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 64 + L)))
                    .intoArray(c, cAt + r + 64 + L);
            scale = FloatVector.broadcast(F, scales[e + 3]);
            start = FloatVector.broadcast(F, starts[e + 3]);
            m0.fma(start, a3.mul(scale).fma(w0, FloatVector.fromArray(F, c, cAt + r + 96)))
                    .intoArray(c, cAt + r + 96);
            m1.fma(start, b3.mul(scale).fma(w1, FloatVector.fromArray(F, c, cAt + r + 96 + L)))
                    .intoArray(c, cAt + r + 96 + L);
        }
    }

    /// `c[cAt + t * 32 + r] += sum_k panel[p + k * 32 + r] * x[xAt + t * 128 + k]` for 8 tokens.
    static void add8(float[] panel, int p, int count, int[] x, int xAt, float[] c, int cAt) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            FloatVector a0 = FloatVector.fromArray(F, c, cAt + r);
            FloatVector b0 = FloatVector.fromArray(F, c, cAt + r + L);
            FloatVector a1 = FloatVector.fromArray(F, c, cAt + r + 32);
            FloatVector b1 = FloatVector.fromArray(F, c, cAt + r + 32 + L);
            FloatVector a2 = FloatVector.fromArray(F, c, cAt + r + 64);
            FloatVector b2 = FloatVector.fromArray(F, c, cAt + r + 64 + L);
            FloatVector a3 = FloatVector.fromArray(F, c, cAt + r + 96);
            FloatVector b3 = FloatVector.fromArray(F, c, cAt + r + 96 + L);
            FloatVector a4 = FloatVector.fromArray(F, c, cAt + r + 128);
            FloatVector b4 = FloatVector.fromArray(F, c, cAt + r + 128 + L);
            FloatVector a5 = FloatVector.fromArray(F, c, cAt + r + 160);
            FloatVector b5 = FloatVector.fromArray(F, c, cAt + r + 160 + L);
            FloatVector a6 = FloatVector.fromArray(F, c, cAt + r + 192);
            FloatVector b6 = FloatVector.fromArray(F, c, cAt + r + 192 + L);
            FloatVector a7 = FloatVector.fromArray(F, c, cAt + r + 224);
            FloatVector b7 = FloatVector.fromArray(F, c, cAt + r + 224 + L);
            for (int k = 0; k < count; k++) {
                int o = xAt + k;
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[o + VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[o + 2 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[o + 3 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
                f = IntVector.broadcast(I, x[o + 4 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a4 = v.fma(f, a4);
                b4 = w.fma(f, b4);
                f = IntVector.broadcast(I, x[o + 5 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a5 = v.fma(f, a5);
                b5 = w.fma(f, b5);
                f = IntVector.broadcast(I, x[o + 6 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a6 = v.fma(f, a6);
                b6 = w.fma(f, b6);
                f = IntVector.broadcast(I, x[o + 7 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a7 = v.fma(f, a7);
                b7 = w.fma(f, b7);
            }
            a0.intoArray(c, cAt + r);
            b0.intoArray(c, cAt + r + L);
            a1.intoArray(c, cAt + r + 32);
            b1.intoArray(c, cAt + r + 32 + L);
            a2.intoArray(c, cAt + r + 64);
            b2.intoArray(c, cAt + r + 64 + L);
            a3.intoArray(c, cAt + r + 96);
            b3.intoArray(c, cAt + r + 96 + L);
            a4.intoArray(c, cAt + r + 128);
            b4.intoArray(c, cAt + r + 128 + L);
            a5.intoArray(c, cAt + r + 160);
            b5.intoArray(c, cAt + r + 160 + L);
            a6.intoArray(c, cAt + r + 192);
            b6.intoArray(c, cAt + r + 192 + L);
            a7.intoArray(c, cAt + r + 224);
            b7.intoArray(c, cAt + r + 224 + L);
        }
    }

    /// {@link #add8} for four tokens.
    static void add4(float[] panel, int p, int count, int[] x, int xAt, float[] c, int cAt) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            FloatVector a0 = FloatVector.fromArray(F, c, cAt + r);
            FloatVector b0 = FloatVector.fromArray(F, c, cAt + r + L);
            FloatVector a1 = FloatVector.fromArray(F, c, cAt + r + 32);
            FloatVector b1 = FloatVector.fromArray(F, c, cAt + r + 32 + L);
            FloatVector a2 = FloatVector.fromArray(F, c, cAt + r + 64);
            FloatVector b2 = FloatVector.fromArray(F, c, cAt + r + 64 + L);
            FloatVector a3 = FloatVector.fromArray(F, c, cAt + r + 96);
            FloatVector b3 = FloatVector.fromArray(F, c, cAt + r + 96 + L);
            for (int k = 0; k < count; k++) {
                int o = xAt + k;
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[o + VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[o + 2 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[o + 3 * VectorPanel.FLOAT_BLOCK]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
            }
            a0.intoArray(c, cAt + r);
            b0.intoArray(c, cAt + r + L);
            a1.intoArray(c, cAt + r + 32);
            b1.intoArray(c, cAt + r + 32 + L);
            a2.intoArray(c, cAt + r + 64);
            b2.intoArray(c, cAt + r + 64 + L);
            a3.intoArray(c, cAt + r + 96);
            b3.intoArray(c, cAt + r + 96 + L);
        }
    }

    /// Scales of sixteen rows.
    static void halves(MemorySegment w, long at, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            Simd.halves(Simd.shorts(w, at + 2 * r)).intoArray(to, o + r);
        }
    }

    /// `sign * d * factor` of sixteen rows and `count` blocks, `d` being halves and the factors unsigned bytes;
    /// those of a
    /// block are `to[o + 32 * block ...]`. Between blocks, `d` is where the first will be.
    static void unsigned(MemorySegment w, long halves, long bytes, int count, float sign, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            Simd.halves(Simd.shorts(w, halves + 2 * r)).mul(sign).intoArray(to, o + r);
        }
        for (int b = count - 1; b >= 0; b--) {
            for (int r = 0; r < PackedType.ROWS; r += L) {
                IntVector factor = IntVector.fromMemorySegment(I, w, bytes + 16 * b + r, LE)
                        .rearrange(QUARTERS)
                        .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
                        .and(255);
                FloatVector.fromArray(F, to, o + r)
                        .mul(factor.convert(VectorOperators.I2F, 0))
                        .intoArray(to, o + b * ROWS + r);
            }
        }
    }

    /// `d * factor` of sixteen rows and `count` blocks or halves of blocks, the factors being signed bytes; as
    /// {@link #unsigned}.
    static void signed(MemorySegment w, long halves, long bytes, int count, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            Simd.halves(Simd.shorts(w, halves + 2 * r)).intoArray(to, o + r);
        }
        for (int b = count - 1; b >= 0; b--) {
            for (int r = 0; r < PackedType.ROWS; r += L) {
                IntVector factor = IntVector.fromMemorySegment(I, w, bytes + 16 * b + r, LE)
                        .rearrange(QUARTERS)
                        .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
                        .lanewise(VectorOperators.LSHL, 24)
                        .lanewise(VectorOperators.ASHR, 24);
                FloatVector.fromArray(F, to, o + r)
                        .mul(factor.convert(VectorOperators.I2F, 0))
                        .intoArray(to, o + b * ROWS + r);
            }
        }
    }

    /// 32 columns of nibbles of sixteen rows.
    static void nibbles(MemorySegment w, long at, float[] panel, int p) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            for (int j = 0; j < 4; j++) {
                int o = p + 8 * j * ROWS + r;
                IntVector q = IntVector.fromMemorySegment(I, w, at + 64 * j + 4 * r, LE);
                q.and(15).convert(VectorOperators.I2F, 0).reinterpretAsFloats().intoArray(panel, o);
                q.lanewise(VectorOperators.LSHR, 8)
                        .and(15)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 1 * ROWS);
                q.lanewise(VectorOperators.LSHR, 16)
                        .and(15)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 2 * ROWS);
                q.lanewise(VectorOperators.LSHR, 24)
                        .and(15)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 3 * ROWS);
                q.lanewise(VectorOperators.LSHR, 4)
                        .and(15)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 4 * ROWS);
                q.lanewise(VectorOperators.LSHR, 12)
                        .and(15)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 5 * ROWS);
                q.lanewise(VectorOperators.LSHR, 20)
                        .and(15)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 6 * ROWS);
                q.lanewise(VectorOperators.LSHR, 28)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 7 * ROWS);
            }
        }
    }

    /// 32 columns of unsigned bytes of sixteen rows.
    static void bytes(MemorySegment w, long at, float[] panel, int p) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            for (int j = 0; j < 8; j++) {
                int o = p + 4 * j * ROWS + r;
                IntVector q = IntVector.fromMemorySegment(I, w, at + 64 * j + 4 * r, LE);
                q.and(255).convert(VectorOperators.I2F, 0).reinterpretAsFloats().intoArray(panel, o);
                q.lanewise(VectorOperators.LSHR, 8)
                        .and(255)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + ROWS);
                q.lanewise(VectorOperators.LSHR, 16)
                        .and(255)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 2 * ROWS);
                q.lanewise(VectorOperators.LSHR, 24)
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 3 * ROWS);
            }
        }
    }

    /// 32 columns of six bits of sixteen rows: nibbles, then upper bits.
    static void sixBits(MemorySegment w, long at, float[] panel, int p) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            for (int j = 0; j < 4; j++) {
                int o = p + 8 * j * ROWS + r;
                IntVector q = IntVector.fromMemorySegment(I, w, at + 64 * j + 4 * r, LE);
                // Bits 0 and 1 of each byte belong to the low nibbles, 2 and 3 to the high ones.
                IntVector u = IntVector.fromMemorySegment(I, w, at + 256 + 64 * (j >> 1) + 4 * r, LE)
                        .lanewise(VectorOperators.LSHR, 4 * (j & 1));
                q.and(15)
                        .or(u.lanewise(VectorOperators.LSHL, 4).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 0 * ROWS);
                q.lanewise(VectorOperators.LSHR, 8)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 4).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 1 * ROWS);
                q.lanewise(VectorOperators.LSHR, 16)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 12).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 2 * ROWS);
                q.lanewise(VectorOperators.LSHR, 24)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 20).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 3 * ROWS);
                q.lanewise(VectorOperators.LSHR, 4)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHL, 2).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 4 * ROWS);
                q.lanewise(VectorOperators.LSHR, 12)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 6).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 5 * ROWS);
                q.lanewise(VectorOperators.LSHR, 20)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 14).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 6 * ROWS);
                q.lanewise(VectorOperators.LSHR, 28)
                        .or(u.lanewise(VectorOperators.LSHR, 22).and(0x30))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 7 * ROWS);
            }
        }
    }

    /// 32 columns of five bits of sixteen rows: nibbles, then fifth bits.
    static void fiveBits(MemorySegment w, long at, float[] panel, int p) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            for (int j = 0; j < 4; j++) {
                int o = p + 8 * j * ROWS + r;
                IntVector q = IntVector.fromMemorySegment(I, w, at + 64 * j + 4 * r, LE);
                // Bit 0 of each byte belongs to the low nibbles, bit 1 to the high ones.
                IntVector u =
                        IntVector.fromMemorySegment(I, w, at + 256 + 4 * r, LE).lanewise(VectorOperators.LSHR, 2 * j);
                q.and(15)
                        .or(u.lanewise(VectorOperators.LSHL, 4).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 0 * ROWS);
                q.lanewise(VectorOperators.LSHR, 8)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 4).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 1 * ROWS);
                q.lanewise(VectorOperators.LSHR, 16)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 12).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 2 * ROWS);
                q.lanewise(VectorOperators.LSHR, 24)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 20).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 3 * ROWS);
                q.lanewise(VectorOperators.LSHR, 4)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHL, 3).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 4 * ROWS);
                q.lanewise(VectorOperators.LSHR, 12)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 5).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 5 * ROWS);
                q.lanewise(VectorOperators.LSHR, 20)
                        .and(15)
                        .or(u.lanewise(VectorOperators.LSHR, 13).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 6 * ROWS);
                q.lanewise(VectorOperators.LSHR, 28)
                        .or(u.lanewise(VectorOperators.LSHR, 21).and(0x10))
                        .convert(VectorOperators.I2F, 0)
                        .reinterpretAsFloats()
                        .intoArray(panel, o + 7 * ROWS);
            }
        }
    }

    /// 32 columns of four-bit floats of sixteen rows, doubled.
    static void doubled(MemorySegment w, long at, float[] panel, int p) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            for (int j = 0; j < 4; j++) {
                int o = p + 8 * j * ROWS + r;
                IntVector q = IntVector.fromMemorySegment(I, w, at + 64 * j + 4 * r, LE);
                Simd.doubledE2m1(q).intoArray(panel, o + 0 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 8)).intoArray(panel, o + 1 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 16)).intoArray(panel, o + 2 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 24)).intoArray(panel, o + 3 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 4)).intoArray(panel, o + 4 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 12)).intoArray(panel, o + 5 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 20)).intoArray(panel, o + 6 * ROWS);
                Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 28)).intoArray(panel, o + 7 * ROWS);
            }
        }
    }

    /// 32 columns of steps of sixteen rows.
    static void steps(MemorySegment w, long at, float[] panel, int p) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            for (int j = 0; j < 4; j++) {
                int o = p + 8 * j * ROWS + r;
                IntVector q = IntVector.fromMemorySegment(I, w, at + 64 * j + 4 * r, LE);
                Simd.nonLinear(q).intoArray(panel, o + 0 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 8)).intoArray(panel, o + 1 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 16)).intoArray(panel, o + 2 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 24)).intoArray(panel, o + 3 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 4)).intoArray(panel, o + 4 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 12)).intoArray(panel, o + 5 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 20)).intoArray(panel, o + 6 * ROWS);
                Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 28)).intoArray(panel, o + 7 * ROWS);
            }
        }
    }

    /// `2^(e - 128)` of sixteen rows.
    static void powers(MemorySegment w, long at, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            IntVector.fromMemorySegment(I, w, at + r, LE)
                    .rearrange(QUARTERS)
                    .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
                    .and(255)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats()
                    .mul(0.5f)
                    .intoArray(to, o + r);
        }
    }

    /// `n` units of four halves of sixteen rows; column `4u + i` becomes row `32i + u` of the panel.
    static void f16(MemorySegment w, long at, int n, float[] panel, int p) {
        for (int u = 0; u < n; u++) {
            for (int i = 0; i < 4; i++) {
                for (int r = 0; r < PackedType.ROWS; r += L) {
                    Simd.halves(Simd.shorts(w, at + u * 128L + i * 32 + 2 * r))
                            .intoArray(panel, p + (i * 32 + u) * ROWS + r);
                }
            }
        }
    }

    /// {@link #f16} for bfloat16.
    static void bf16(MemorySegment w, long at, int n, float[] panel, int p) {
        for (int u = 0; u < n; u++) {
            for (int i = 0; i < 4; i++) {
                for (int r = 0; r < PackedType.ROWS; r += L) {
                    Simd.shorts(w, at + u * 128L + i * 32 + 2 * r)
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .intoArray(panel, p + (i * 32 + u) * ROWS + r);
                }
            }
        }
    }

    /// `c = (s_0 + s_2) + (s_1 + s_3)` for all results of a tile; the sums `s_i` lie `step` apart.
    static void addFour(float[] sums, int step, int tokens, float[] c, int cAt) {
        for (int o = 0; o < tokens * ROWS; o += L) {
            FloatVector even = FloatVector.fromArray(F, sums, o).add(FloatVector.fromArray(F, sums, o + 2 * step));
            FloatVector odd =
                    FloatVector.fromArray(F, sums, o + step).add(FloatVector.fromArray(F, sums, o + 3 * step));
            even.add(odd).intoArray(c, cAt + o);
        }
    }
}
