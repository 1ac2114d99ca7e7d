package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import jdk.incubator.vector.FloatVector;

/// Dot products of float rows: the innermost loops. The sixteen partial sums of each product are kept in memory
/// between calls, so that a long row may be worked off in pieces without changing a bit of the result.
final class Tile {
    private Tile() {}

    /// Sixteen products at once: rows `w0 + r * ws` of `w` with rows `x0` to `x3` of `x`, `k` values each, a multiple
    /// of 16. The partial sums of row `r` and `xt` are `sums[s + (4 * t + r) * 16 ...]`; they begin at zero when
    /// `first`.
    static void dot4x4(
            float[] w,
            int w0,
            int ws,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            int k,
            float[] sums,
            int s,
            boolean first) {
        int w1 = w0 + ws;
        int w2 = w1 + ws;
        int w3 = w2 + ws;
        for (int part = 0; part < SUMS; part += L) {
            int o = s + part;
            FloatVector a00 = FloatVector.zero(F), a01 = a00, a02 = a00, a03 = a00;
            FloatVector a10 = a00, a11 = a00, a12 = a00, a13 = a00;
            FloatVector a20 = a00, a21 = a00, a22 = a00, a23 = a00;
            FloatVector a30 = a00, a31 = a00, a32 = a00, a33 = a00;
            if (!first) {
                a00 = FloatVector.fromArray(F, sums, o);
                a10 = FloatVector.fromArray(F, sums, o + 16);
                a20 = FloatVector.fromArray(F, sums, o + 32);
                a30 = FloatVector.fromArray(F, sums, o + 48);
                a01 = FloatVector.fromArray(F, sums, o + 64);
                a11 = FloatVector.fromArray(F, sums, o + 80);
                a21 = FloatVector.fromArray(F, sums, o + 96);
                a31 = FloatVector.fromArray(F, sums, o + 112);
                a02 = FloatVector.fromArray(F, sums, o + 128);
                a12 = FloatVector.fromArray(F, sums, o + 144);
                a22 = FloatVector.fromArray(F, sums, o + 160);
                a32 = FloatVector.fromArray(F, sums, o + 176);
                a03 = FloatVector.fromArray(F, sums, o + 192);
                a13 = FloatVector.fromArray(F, sums, o + 208);
                a23 = FloatVector.fromArray(F, sums, o + 224);
                a33 = FloatVector.fromArray(F, sums, o + 240);
            }
            for (int i = part; i < k; i += SUMS) {
                FloatVector p0 = FloatVector.fromArray(F, w, w0 + i);
                FloatVector p1 = FloatVector.fromArray(F, w, w1 + i);
                FloatVector p2 = FloatVector.fromArray(F, w, w2 + i);
                FloatVector p3 = FloatVector.fromArray(F, w, w3 + i);
                FloatVector v = FloatVector.fromArray(F, x, x0 + i);
                a00 = p0.fma(v, a00);
                a10 = p1.fma(v, a10);
                a20 = p2.fma(v, a20);
                a30 = p3.fma(v, a30);
                v = FloatVector.fromArray(F, x, x1 + i);
                a01 = p0.fma(v, a01);
                a11 = p1.fma(v, a11);
                a21 = p2.fma(v, a21);
                a31 = p3.fma(v, a31);
                v = FloatVector.fromArray(F, x, x2 + i);
                a02 = p0.fma(v, a02);
                a12 = p1.fma(v, a12);
                a22 = p2.fma(v, a22);
                a32 = p3.fma(v, a32);
                v = FloatVector.fromArray(F, x, x3 + i);
                a03 = p0.fma(v, a03);
                a13 = p1.fma(v, a13);
                a23 = p2.fma(v, a23);
                a33 = p3.fma(v, a33);
            }
            a00.intoArray(sums, o);
            a10.intoArray(sums, o + 16);
            a20.intoArray(sums, o + 32);
            a30.intoArray(sums, o + 48);
            a01.intoArray(sums, o + 64);
            a11.intoArray(sums, o + 80);
            a21.intoArray(sums, o + 96);
            a31.intoArray(sums, o + 112);
            a02.intoArray(sums, o + 128);
            a12.intoArray(sums, o + 144);
            a22.intoArray(sums, o + 160);
            a32.intoArray(sums, o + 176);
            a03.intoArray(sums, o + 192);
            a13.intoArray(sums, o + 208);
            a23.intoArray(sums, o + 224);
            a33.intoArray(sums, o + 240);
        }
    }

    /// As {@link #dot4x4} with one row of `x`: four products, partial sums at `sums[s + r * 16 ...]`.
    static void dot4x1(float[] w, int w0, int ws, float[] x, int x0, int k, float[] sums, int s, boolean first) {
        int w1 = w0 + ws;
        int w2 = w1 + ws;
        int w3 = w2 + ws;
        for (int part = 0; part < SUMS; part += L) {
            int o = s + part;
            FloatVector a0 = FloatVector.zero(F), a1 = a0, a2 = a0, a3 = a0;
            if (!first) {
                a0 = FloatVector.fromArray(F, sums, o);
                a1 = FloatVector.fromArray(F, sums, o + 16);
                a2 = FloatVector.fromArray(F, sums, o + 32);
                a3 = FloatVector.fromArray(F, sums, o + 48);
            }
            for (int i = part; i < k; i += SUMS) {
                FloatVector v = FloatVector.fromArray(F, x, x0 + i);
                a0 = FloatVector.fromArray(F, w, w0 + i).fma(v, a0);
                a1 = FloatVector.fromArray(F, w, w1 + i).fma(v, a1);
                a2 = FloatVector.fromArray(F, w, w2 + i).fma(v, a2);
                a3 = FloatVector.fromArray(F, w, w3 + i).fma(v, a3);
            }
            a0.intoArray(sums, o);
            a1.intoArray(sums, o + 16);
            a2.intoArray(sums, o + 32);
            a3.intoArray(sums, o + 48);
        }
    }

    /// The last `count` values of rows whose length is no multiple of 16, for four rows and one `x`, after
    /// {@link #dot4x4} or {@link #dot4x1}.
    static void tail4x1(float[] w, int w0, int ws, float[] x, int x0, int count, float[] sums, int s) {
        for (int r = 0; r < 4; r++) {
            for (int i = 0; i < count; i++) {
                int o = s + r * SUMS + i;
                sums[o] = Math.fma(w[w0 + r * ws + i], x[x0 + i], sums[o]);
            }
        }
    }

    /// The total of sixteen partial sums, always by the same tree.
    static float total(float[] sums, int s) {
        float a = (sums[s] + sums[s + 8]) + (sums[s + 4] + sums[s + 12]);
        float b = (sums[s + 1] + sums[s + 9]) + (sums[s + 5] + sums[s + 13]);
        float c = (sums[s + 2] + sums[s + 10]) + (sums[s + 6] + sums[s + 14]);
        float d = (sums[s + 3] + sums[s + 11]) + (sums[s + 7] + sums[s + 15]);
        return (a + c) + (b + d);
    }
}
