package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.I;
import static dev.panamoe.cpu.Simd.L;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Products of packed weights with a tile of several tokens. Some blocks of two groups of rows are unpacked to a small
/// panel of floats, which are whole numbers here: sums of a block stay below 2^24, so multiply-adds of floats give
/// exactly what whole numbers would. The panel is `(k, 32)`, rows innermost.
final class PackedTiles {
    /// Rows of the panel: two groups.
    static final int ROWS = 2 * PackedType.ROWS;

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    private PackedTiles() {}

    /// `sums[s + t * 32 + r] += sum_k panel[p + k * 32 + r] * x[xAt + t * xStep + k]` for 8 tokens and 32 rows; the
    /// activations are the bits of floats.
    static void multiply8(float[] panel, int p, int count, int[] x, int xAt, int xStep, float[] sums, int s) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            int o = s + r;
            FloatVector a0 = FloatVector.fromArray(F, sums, o);
            FloatVector b0 = FloatVector.fromArray(F, sums, o + L);
            FloatVector a1 = FloatVector.fromArray(F, sums, o + 32);
            FloatVector b1 = FloatVector.fromArray(F, sums, o + 32 + L);
            FloatVector a2 = FloatVector.fromArray(F, sums, o + 64);
            FloatVector b2 = FloatVector.fromArray(F, sums, o + 64 + L);
            FloatVector a3 = FloatVector.fromArray(F, sums, o + 96);
            FloatVector b3 = FloatVector.fromArray(F, sums, o + 96 + L);
            FloatVector a4 = FloatVector.fromArray(F, sums, o + 128);
            FloatVector b4 = FloatVector.fromArray(F, sums, o + 128 + L);
            FloatVector a5 = FloatVector.fromArray(F, sums, o + 160);
            FloatVector b5 = FloatVector.fromArray(F, sums, o + 160 + L);
            FloatVector a6 = FloatVector.fromArray(F, sums, o + 192);
            FloatVector b6 = FloatVector.fromArray(F, sums, o + 192 + L);
            FloatVector a7 = FloatVector.fromArray(F, sums, o + 224);
            FloatVector b7 = FloatVector.fromArray(F, sums, o + 224 + L);
            int x1 = xAt + xStep;
            int x2 = xAt + 2 * xStep;
            int x3 = xAt + 3 * xStep;
            int x4 = xAt + 4 * xStep;
            int x5 = xAt + 5 * xStep;
            int x6 = xAt + 6 * xStep;
            int x7 = xAt + 7 * xStep;
            for (int k = 0; k < count; k++) {
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[xAt + k]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[x1 + k]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[x2 + k]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[x3 + k]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
                f = IntVector.broadcast(I, x[x4 + k]).reinterpretAsFloats();
                a4 = v.fma(f, a4);
                b4 = w.fma(f, b4);
                f = IntVector.broadcast(I, x[x5 + k]).reinterpretAsFloats();
                a5 = v.fma(f, a5);
                b5 = w.fma(f, b5);
                f = IntVector.broadcast(I, x[x6 + k]).reinterpretAsFloats();
                a6 = v.fma(f, a6);
                b6 = w.fma(f, b6);
                f = IntVector.broadcast(I, x[x7 + k]).reinterpretAsFloats();
                a7 = v.fma(f, a7);
                b7 = w.fma(f, b7);
            }
            a0.intoArray(sums, o);
            b0.intoArray(sums, o + L);
            a1.intoArray(sums, o + 32);
            b1.intoArray(sums, o + 32 + L);
            a2.intoArray(sums, o + 64);
            b2.intoArray(sums, o + 64 + L);
            a3.intoArray(sums, o + 96);
            b3.intoArray(sums, o + 96 + L);
            a4.intoArray(sums, o + 128);
            b4.intoArray(sums, o + 128 + L);
            a5.intoArray(sums, o + 160);
            b5.intoArray(sums, o + 160 + L);
            a6.intoArray(sums, o + 192);
            b6.intoArray(sums, o + 192 + L);
            a7.intoArray(sums, o + 224);
            b7.intoArray(sums, o + 224 + L);
        }
    }

    /// `sums[s + t * 32 + r] += sum_k panel[p + k * 32 + r] * x[xAt + t * xStep + k]` for 4 tokens and 32 rows; the
    /// activations are the bits of floats.
    static void multiply4(float[] panel, int p, int count, int[] x, int xAt, int xStep, float[] sums, int s) {
        for (int r = 0; r < ROWS; r += 2 * L) {
            int o = s + r;
            FloatVector a0 = FloatVector.fromArray(F, sums, o);
            FloatVector b0 = FloatVector.fromArray(F, sums, o + L);
            FloatVector a1 = FloatVector.fromArray(F, sums, o + 32);
            FloatVector b1 = FloatVector.fromArray(F, sums, o + 32 + L);
            FloatVector a2 = FloatVector.fromArray(F, sums, o + 64);
            FloatVector b2 = FloatVector.fromArray(F, sums, o + 64 + L);
            FloatVector a3 = FloatVector.fromArray(F, sums, o + 96);
            FloatVector b3 = FloatVector.fromArray(F, sums, o + 96 + L);
            int x1 = xAt + xStep;
            int x2 = xAt + 2 * xStep;
            int x3 = xAt + 3 * xStep;
            for (int k = 0; k < count; k++) {
                FloatVector v = FloatVector.fromArray(F, panel, p + k * ROWS + r);
                FloatVector w = FloatVector.fromArray(F, panel, p + k * ROWS + r + L);
                FloatVector f = IntVector.broadcast(I, x[xAt + k]).reinterpretAsFloats();
                a0 = v.fma(f, a0);
                b0 = w.fma(f, b0);
                f = IntVector.broadcast(I, x[x1 + k]).reinterpretAsFloats();
                a1 = v.fma(f, a1);
                b1 = w.fma(f, b1);
                f = IntVector.broadcast(I, x[x2 + k]).reinterpretAsFloats();
                a2 = v.fma(f, a2);
                b2 = w.fma(f, b2);
                f = IntVector.broadcast(I, x[x3 + k]).reinterpretAsFloats();
                a3 = v.fma(f, a3);
                b3 = w.fma(f, b3);
            }
            a0.intoArray(sums, o);
            b0.intoArray(sums, o + L);
            a1.intoArray(sums, o + 32);
            b1.intoArray(sums, o + 32 + L);
            a2.intoArray(sums, o + 64);
            b2.intoArray(sums, o + 64 + L);
            a3.intoArray(sums, o + 96);
            b3.intoArray(sums, o + 96 + L);
        }
    }
    /// Begins the sums `(blocks, 16, 32)` of some blocks with what the offset costs: element `e + b * step + t` of
    /// `starts`.
    static void begin(float[] starts, int e, int step, int blocks, int tokens, float[] sums) {
        for (int b = 0; b < blocks; b++) {
            for (int t = 0; t < tokens; t++) {
                FloatVector v = FloatVector.broadcast(F, starts[e + b * step + t]);
                for (int r = 0; r < ROWS; r += L) {
                    v.intoArray(sums, (b * Panel.TILE + t) * ROWS + r);
                }
            }
        }
    }

    /// The same for halves of blocks: element `2 * (e + b * step + t)` and the one behind it.
    static void beginHalves(float[] starts, int e, int step, int blocks, int tokens, float[] sums) {
        for (int h = 0; h < 2 * blocks; h++) {
            for (int t = 0; t < tokens; t++) {
                FloatVector v = FloatVector.broadcast(F, starts[2 * (e + (h >> 1) * step + t) + (h & 1)]);
                for (int r = 0; r < ROWS; r += L) {
                    v.intoArray(sums, (h * Panel.TILE + t) * ROWS + r);
                }
            }
        }
    }

    /// Adds the sums of blocks to results, `c = fma(sum * scale of the token, scale of the weights, c)`, block by block
    /// or half by half (`parts` 2); the sums of a half or block are `(16, 32)`.
    static void join(
            float[] sums,
            int blocks,
            int parts,
            int tokens,
            float[] scales,
            int e,
            int step,
            float[] weights,
            int d,
            float[] c,
            int cAt) {
        for (int t = 0; t < tokens; t += 4) {
            for (int r = 0; r < ROWS; r += L) {
                int o = t * ROWS + r;
                FloatVector c0 = FloatVector.fromArray(F, c, cAt + o);
                FloatVector c1 = FloatVector.fromArray(F, c, cAt + o + ROWS);
                FloatVector c2 = FloatVector.fromArray(F, c, cAt + o + 2 * ROWS);
                FloatVector c3 = FloatVector.fromArray(F, c, cAt + o + 3 * ROWS);
                for (int b = 0; b < blocks * parts; b++) {
                    FloatVector w = FloatVector.fromArray(F, weights, d + b * ROWS + r);
                    int s = o + b * Panel.TILE * ROWS;
                    int f = e + (b >> (parts - 1)) * step + t;
                    c0 = FloatVector.fromArray(F, sums, s).mul(scales[f]).fma(w, c0);
                    c1 = FloatVector.fromArray(F, sums, s + ROWS)
                            .mul(scales[f + 1])
                            .fma(w, c1);
                    c2 = FloatVector.fromArray(F, sums, s + 2 * ROWS)
                            .mul(scales[f + 2])
                            .fma(w, c2);
                    c3 = FloatVector.fromArray(F, sums, s + 3 * ROWS)
                            .mul(scales[f + 3])
                            .fma(w, c3);
                }
                c0.intoArray(c, cAt + o);
                c1.intoArray(c, cAt + o + ROWS);
                c2.intoArray(c, cAt + o + 2 * ROWS);
                c3.intoArray(c, cAt + o + 3 * ROWS);
            }
        }
    }

    /// {@link #join}, and after each block `c = fma(minus, start, c)`; `minus` follows the weights' scales.
    static void joinMinima(
            float[] sums,
            int blocks,
            int tokens,
            float[] scales,
            float[] starts,
            int e,
            int step,
            float[] weights,
            int d,
            int minus,
            float[] c,
            int cAt) {
        for (int t = 0; t < tokens; t += 4) {
            for (int r = 0; r < ROWS; r += L) {
                int o = t * ROWS + r;
                FloatVector c0 = FloatVector.fromArray(F, c, cAt + o);
                FloatVector c1 = FloatVector.fromArray(F, c, cAt + o + ROWS);
                FloatVector c2 = FloatVector.fromArray(F, c, cAt + o + 2 * ROWS);
                FloatVector c3 = FloatVector.fromArray(F, c, cAt + o + 3 * ROWS);
                for (int b = 0; b < blocks; b++) {
                    FloatVector w = FloatVector.fromArray(F, weights, d + b * ROWS + r);
                    FloatVector m = FloatVector.fromArray(F, weights, minus + b * ROWS + r);
                    int s = o + b * Panel.TILE * ROWS;
                    int f = e + b * step + t;
                    c0 = FloatVector.fromArray(F, sums, s).mul(scales[f]).fma(w, c0);
                    c1 = FloatVector.fromArray(F, sums, s + ROWS)
                            .mul(scales[f + 1])
                            .fma(w, c1);
                    c2 = FloatVector.fromArray(F, sums, s + 2 * ROWS)
                            .mul(scales[f + 2])
                            .fma(w, c2);
                    c3 = FloatVector.fromArray(F, sums, s + 3 * ROWS)
                            .mul(scales[f + 3])
                            .fma(w, c3);
                    c0 = m.fma(FloatVector.broadcast(F, starts[f]), c0);
                    c1 = m.fma(FloatVector.broadcast(F, starts[f + 1]), c1);
                    c2 = m.fma(FloatVector.broadcast(F, starts[f + 2]), c2);
                    c3 = m.fma(FloatVector.broadcast(F, starts[f + 3]), c3);
                }
                c0.intoArray(c, cAt + o);
                c1.intoArray(c, cAt + o + ROWS);
                c2.intoArray(c, cAt + o + 2 * ROWS);
                c3.intoArray(c, cAt + o + 3 * ROWS);
            }
        }
    }

    /// Scales of sixteen rows.
    static void halves(MemorySegment w, long at, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            Simd.halves(Simd.shorts(w, at + 2 * r)).intoArray(to, o + r);
        }
    }

    /// `sign * d * factor` of sixteen rows, the factors being unsigned bytes.
    static void unsigned(MemorySegment w, long halves, long bytes, float sign, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            FloatVector d = Simd.halves(Simd.shorts(w, halves + 2 * r));
            d.mul((FloatVector) Simd.unsignedBytes(w, bytes + r).convert(VectorOperators.I2F, 0))
                    .mul(sign)
                    .intoArray(to, o + r);
        }
    }

    /// `d * factor` of sixteen rows, the factors being signed bytes.
    static void signed(MemorySegment w, long halves, long bytes, float[] to, int o) {
        for (int r = 0; r < PackedType.ROWS; r += L) {
            FloatVector d = Simd.halves(Simd.shorts(w, halves + 2 * r));
            d.mul((FloatVector) Simd.signedBytes(w, bytes + r).convert(VectorOperators.I2F, 0))
                    .intoArray(to, o + r);
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
            Simd.unsignedBytes(w, at + r)
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
