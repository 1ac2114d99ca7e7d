package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.I;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Attention of two queries at once on keys and values as they are stored, for the few queries of a single token:
/// unpacked rows would be used too few times. Every number is what unpacking and {@link Tile} give, bit for bit, so
/// that it does not matter which way a query goes.
///
/// Each kernel is a method of its own that calls no other: otherwise the JIT boxes vectors.
final class StoredRows {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final VectorSpecies<Short> HALVES = VectorSpecies.of(short.class, VectorShape.forBitSize(16 * L));
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * L)));

    private StoredRows() {}

    /// Whether there are kernels for a cache: with values of whole vectors.
    static boolean fits(CacheSpec spec) {
        return switch (spec.type()) {
            case F16 -> spec.keySize() % SUMS == 0 && spec.valueSize() % SUMS == 0;
            // A vector of four lanes would read beyond the last value of a cache.
            case Q8_0 -> L > 4 && spec.keySize() % 32 == 0 && spec.valueSize() % 32 == 0;
            default -> false;
        };
    }

    static void scores(
            CacheType type,
            MemorySegment data,
            long at,
            long rowBytes,
            int count,
            int size,
            float[] q,
            int q0,
            int q1,
            float[] sums) {
        if (type == CacheType.F16) {
            scoresF16(data, at, rowBytes, count, size, q, q0, q1, sums);
        } else {
            scoresQ8(data, at, rowBytes, count, size, q, q0, q1, sums);
        }
    }

    static void mix(
            CacheType type,
            MemorySegment data,
            long at,
            long rowBytes,
            int count,
            int size,
            float[] factors,
            int f0,
            int f1,
            float[] to,
            int o0,
            int o1) {
        if (type == CacheType.F16) {
            mixF16(data, at, rowBytes, count, size, factors, f0, f1, to, o0, o1);
        } else {
            mixQ8(data, at, rowBytes, count, size, factors, f0, f1, to, o0, o1);
        }
    }

    /// Partial sums of the products of `count` rows of `size` values, a multiple of 16, with the queries at `q[q0]` and
    /// `q[q1]`: those of row `r` begin at `sums[32 * r]` and `sums[32 * r + 16]`. Up to three rows of sums that mean
    /// nothing may follow.
    static void scoresF16(
            MemorySegment data, long at, long rowBytes, int count, int size, float[] q, int q0, int q1, float[] sums) {
        for (int r = 0; r < count; r += 4) {
            long w0 = at + r * rowBytes;
            long w1 = at + Math.min(r + 1, count - 1) * rowBytes;
            long w2 = at + Math.min(r + 2, count - 1) * rowBytes;
            long w3 = at + Math.min(r + 3, count - 1) * rowBytes;
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a0 = FloatVector.zero(F);
                FloatVector b0 = a0;
                FloatVector a1 = a0;
                FloatVector b1 = a0;
                FloatVector a2 = a0;
                FloatVector b2 = a0;
                FloatVector a3 = a0;
                FloatVector b3 = a0;
                for (int i = part; i < size; i += SUMS) {
                    FloatVector x = FloatVector.fromArray(F, q, q0 + i);
                    FloatVector y = FloatVector.fromArray(F, q, q1 + i);
                    FloatVector v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w0 + 2L * i, LE)
                                    .convertShape(VectorOperators.S2I, I, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f)
                            .mul(0x1p112f)
                            .mul(0x1p-112f);
                    a0 = v.fma(x, a0);
                    b0 = v.fma(y, b0);
                    v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w1 + 2L * i, LE)
                                    .convertShape(VectorOperators.S2I, I, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f)
                            .mul(0x1p112f)
                            .mul(0x1p-112f);
                    a1 = v.fma(x, a1);
                    b1 = v.fma(y, b1);
                    v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w2 + 2L * i, LE)
                                    .convertShape(VectorOperators.S2I, I, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f)
                            .mul(0x1p112f)
                            .mul(0x1p-112f);
                    a2 = v.fma(x, a2);
                    b2 = v.fma(y, b2);
                    v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w3 + 2L * i, LE)
                                    .convertShape(VectorOperators.S2I, I, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(0x8fffe000)
                            .reinterpretAsFloats()
                            .mul(0x1p112f)
                            .mul(0x1p112f)
                            .mul(0x1p-112f);
                    a3 = v.fma(x, a3);
                    b3 = v.fma(y, b3);
                }
                int s = 2 * SUMS * r + part;
                a0.intoArray(sums, s);
                b0.intoArray(sums, s + 16);
                a1.intoArray(sums, s + 32);
                b1.intoArray(sums, s + 48);
                a2.intoArray(sums, s + 64);
                b2.intoArray(sums, s + 80);
                a3.intoArray(sums, s + 96);
                b3.intoArray(sums, s + 112);
            }
        }
    }

    /// {@link #scoresF16} for rows of Q8_0; `size` is a multiple of 32.
    static void scoresQ8(
            MemorySegment data, long at, long rowBytes, int count, int size, float[] q, int q0, int q1, float[] sums) {
        for (int r = 0; r < count; r += 4) {
            long w0 = at + r * rowBytes;
            long w1 = at + Math.min(r + 1, count - 1) * rowBytes;
            long w2 = at + Math.min(r + 2, count - 1) * rowBytes;
            long w3 = at + Math.min(r + 3, count - 1) * rowBytes;
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a0 = FloatVector.zero(F);
                FloatVector b0 = a0;
                FloatVector a1 = a0;
                FloatVector b1 = a0;
                FloatVector a2 = a0;
                FloatVector b2 = a0;
                FloatVector a3 = a0;
                FloatVector b3 = a0;
                for (int k = 0; k < size / 32; k++) {
                    int i = part + 32 * k;
                    long o = 34L * k;
                    FloatVector x = FloatVector.fromArray(F, q, q0 + i);
                    FloatVector y = FloatVector.fromArray(F, q, q1 + i);
                    FloatVector z = FloatVector.fromArray(F, q, q0 + i + 16);
                    FloatVector u = FloatVector.fromArray(F, q, q1 + i + 16);
                    float d = Float.float16ToFloat(data.get(LittleEndian.I16, w0 + o));
                    FloatVector v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w0 + o + 2 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a0 = v.fma(x, a0);
                    b0 = v.fma(y, b0);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w0 + o + 18 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a0 = v.fma(z, a0);
                    b0 = v.fma(u, b0);
                    d = Float.float16ToFloat(data.get(LittleEndian.I16, w1 + o));
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w1 + o + 2 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a1 = v.fma(x, a1);
                    b1 = v.fma(y, b1);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w1 + o + 18 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a1 = v.fma(z, a1);
                    b1 = v.fma(u, b1);
                    d = Float.float16ToFloat(data.get(LittleEndian.I16, w2 + o));
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w2 + o + 2 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a2 = v.fma(x, a2);
                    b2 = v.fma(y, b2);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w2 + o + 18 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a2 = v.fma(z, a2);
                    b2 = v.fma(u, b2);
                    d = Float.float16ToFloat(data.get(LittleEndian.I16, w3 + o));
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w3 + o + 2 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a3 = v.fma(x, a3);
                    b3 = v.fma(y, b3);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w3 + o + 18 + part, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d);
                    a3 = v.fma(z, a3);
                    b3 = v.fma(u, b3);
                }
                int s = 2 * SUMS * r + part;
                a0.intoArray(sums, s);
                b0.intoArray(sums, s + 16);
                a1.intoArray(sums, s + 32);
                b1.intoArray(sums, s + 48);
                a2.intoArray(sums, s + 64);
                b2.intoArray(sums, s + 80);
                a3.intoArray(sums, s + 96);
                b3.intoArray(sums, s + 112);
            }
        }
    }

    /// `to[o0 + d] += factors[f0 + r] * row[r][d]` for rows `r` in rising order, and the same for `o1` and `f1`. `size`
    /// is a multiple of 16.
    static void mixF16(
            MemorySegment data,
            long at,
            long rowBytes,
            int count,
            int size,
            float[] factors,
            int f0,
            int f1,
            float[] to,
            int o0,
            int o1) {
        int r = 0;
        for (; r <= count - 4; r += 4) {
            long w0 = at + r * rowBytes;
            FloatVector x0 = FloatVector.broadcast(F, factors[f0 + r]);
            FloatVector y0 = FloatVector.broadcast(F, factors[f1 + r]);
            long w1 = at + (r + 1) * rowBytes;
            FloatVector x1 = FloatVector.broadcast(F, factors[f0 + r + 1]);
            FloatVector y1 = FloatVector.broadcast(F, factors[f1 + r + 1]);
            long w2 = at + (r + 2) * rowBytes;
            FloatVector x2 = FloatVector.broadcast(F, factors[f0 + r + 2]);
            FloatVector y2 = FloatVector.broadcast(F, factors[f1 + r + 2]);
            long w3 = at + (r + 3) * rowBytes;
            FloatVector x3 = FloatVector.broadcast(F, factors[f0 + r + 3]);
            FloatVector y3 = FloatVector.broadcast(F, factors[f1 + r + 3]);
            for (int i = 0; i < size; i += L) {
                FloatVector a = FloatVector.fromArray(F, to, o0 + i);
                FloatVector b = FloatVector.fromArray(F, to, o1 + i);
                FloatVector v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w0 + 2L * i, LE)
                                .convertShape(VectorOperators.S2I, I, 0))
                        .lanewise(VectorOperators.LSHL, 13)
                        .and(0x8fffe000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f)
                        .mul(0x1p112f)
                        .mul(0x1p-112f);
                a = v.fma(x0, a);
                b = v.fma(y0, b);
                v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w1 + 2L * i, LE)
                                .convertShape(VectorOperators.S2I, I, 0))
                        .lanewise(VectorOperators.LSHL, 13)
                        .and(0x8fffe000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f)
                        .mul(0x1p112f)
                        .mul(0x1p-112f);
                a = v.fma(x1, a);
                b = v.fma(y1, b);
                v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w2 + 2L * i, LE)
                                .convertShape(VectorOperators.S2I, I, 0))
                        .lanewise(VectorOperators.LSHL, 13)
                        .and(0x8fffe000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f)
                        .mul(0x1p112f)
                        .mul(0x1p-112f);
                a = v.fma(x2, a);
                b = v.fma(y2, b);
                v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w3 + 2L * i, LE)
                                .convertShape(VectorOperators.S2I, I, 0))
                        .lanewise(VectorOperators.LSHL, 13)
                        .and(0x8fffe000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f)
                        .mul(0x1p112f)
                        .mul(0x1p-112f);
                a = v.fma(x3, a);
                b = v.fma(y3, b);
                a.intoArray(to, o0 + i);
                b.intoArray(to, o1 + i);
            }
        }
        for (; r < count; r++) {
            long w0 = at + r * rowBytes;
            FloatVector x0 = FloatVector.broadcast(F, factors[f0 + r]);
            FloatVector y0 = FloatVector.broadcast(F, factors[f1 + r]);
            for (int i = 0; i < size; i += L) {
                FloatVector a = FloatVector.fromArray(F, to, o0 + i);
                FloatVector b = FloatVector.fromArray(F, to, o1 + i);
                FloatVector v = ((IntVector) ShortVector.fromMemorySegment(HALVES, data, w0 + 2L * i, LE)
                                .convertShape(VectorOperators.S2I, I, 0))
                        .lanewise(VectorOperators.LSHL, 13)
                        .and(0x8fffe000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f)
                        .mul(0x1p112f)
                        .mul(0x1p-112f);
                a = v.fma(x0, a);
                b = v.fma(y0, b);
                a.intoArray(to, o0 + i);
                b.intoArray(to, o1 + i);
            }
        }
    }

    /// {@link #mixF16} for rows of Q8_0; `size` is a multiple of 32.
    static void mixQ8(
            MemorySegment data,
            long at,
            long rowBytes,
            int count,
            int size,
            float[] factors,
            int f0,
            int f1,
            float[] to,
            int o0,
            int o1) {
        int r = 0;
        for (; r <= count - 4; r += 4) {
            long w0 = at + r * rowBytes;
            FloatVector x0 = FloatVector.broadcast(F, factors[f0 + r]);
            FloatVector y0 = FloatVector.broadcast(F, factors[f1 + r]);
            long w1 = at + (r + 1) * rowBytes;
            FloatVector x1 = FloatVector.broadcast(F, factors[f0 + r + 1]);
            FloatVector y1 = FloatVector.broadcast(F, factors[f1 + r + 1]);
            long w2 = at + (r + 2) * rowBytes;
            FloatVector x2 = FloatVector.broadcast(F, factors[f0 + r + 2]);
            FloatVector y2 = FloatVector.broadcast(F, factors[f1 + r + 2]);
            long w3 = at + (r + 3) * rowBytes;
            FloatVector x3 = FloatVector.broadcast(F, factors[f0 + r + 3]);
            FloatVector y3 = FloatVector.broadcast(F, factors[f1 + r + 3]);
            for (int k = 0; k < size / 32; k++) {
                float d0 = Float.float16ToFloat(data.get(LittleEndian.I16, w0 + 34L * k));
                float d1 = Float.float16ToFloat(data.get(LittleEndian.I16, w1 + 34L * k));
                float d2 = Float.float16ToFloat(data.get(LittleEndian.I16, w2 + 34L * k));
                float d3 = Float.float16ToFloat(data.get(LittleEndian.I16, w3 + 34L * k));
                for (int c = 0; c < 32; c += L) {
                    int i = 32 * k + c;
                    long o = 34L * k + 2 + c;
                    FloatVector a = FloatVector.fromArray(F, to, o0 + i);
                    FloatVector b = FloatVector.fromArray(F, to, o1 + i);
                    FloatVector v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w0 + o, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d0);
                    a = v.fma(x0, a);
                    b = v.fma(y0, b);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w1 + o, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d1);
                    a = v.fma(x1, a);
                    b = v.fma(y1, b);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w2 + o, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d2);
                    a = v.fma(x2, a);
                    b = v.fma(y2, b);
                    v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w3 + o, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d3);
                    a = v.fma(x3, a);
                    b = v.fma(y3, b);
                    a.intoArray(to, o0 + i);
                    b.intoArray(to, o1 + i);
                }
            }
        }
        for (; r < count; r++) {
            long w0 = at + r * rowBytes;
            FloatVector x0 = FloatVector.broadcast(F, factors[f0 + r]);
            FloatVector y0 = FloatVector.broadcast(F, factors[f1 + r]);
            for (int k = 0; k < size / 32; k++) {
                float d0 = Float.float16ToFloat(data.get(LittleEndian.I16, w0 + 34L * k));
                for (int c = 0; c < 32; c += L) {
                    int i = 32 * k + c;
                    long o = 34L * k + 2 + c;
                    FloatVector a = FloatVector.fromArray(F, to, o0 + i);
                    FloatVector b = FloatVector.fromArray(F, to, o1 + i);
                    FloatVector v = ((FloatVector) ByteVector.fromMemorySegment(BYTES, data, w0 + o, LE)
                                    .convertShape(VectorOperators.B2F, F, 0))
                            .mul(d0);
                    a = v.fma(x0, a);
                    b = v.fma(y0, b);
                    a.intoArray(to, o0 + i);
                    b.intoArray(to, o1 + i);
                }
            }
        }
    }
}
