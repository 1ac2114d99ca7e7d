package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.I;
import static dev.panamoe.cpu.Simd.L;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Products of packed weights with one token. Each kernel computes two vectors of rows, so that a broadcast
/// activation is used twice: with 512 bits two groups of sixteen rows, of which the second begins `next` bytes behind
/// the first; with fewer two parts of one group, from row `r` on.
///
/// Values are multiplied in 16-bit lanes, bytes 0 and 2 of a lane of 32 bits together, then bytes 1 and 3; see
/// {@link VectorPanel} for the order of activations that this takes. A lane of 16 bits sums modulo 2^16, which is exact
/// as long as what comes out in the end fits; what it sums is said with each kernel.
///
/// Kernels add to what is in `y`. They call no other methods, which the JIT might not inline and would box the vectors
/// for; why they should be short is told in `docs/performance.md`, "Boxed vectors".
///
/// Scales of K types are unpacked beforehand: those of block `b` (of half block `b` for Q6_K) and the kernel's first
/// row are `f[d + 32 * b]`, minima with a minus `f[m + 32 * b]`; those of the second vector follow.
final class PackedDots {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    private static final int ROWS = PackedType.ROWS;

    /// A vector's halves.
    private static final VectorSpecies<Short> HALVES = VectorSpecies.of(short.class, VectorShape.forBitSize(16 * L));

    /// Low nibbles of bytes 0 and 2.
    private static final int NIBBLES = 0x000f000f;

    /// Doubled four-bit floats and the steps of IQ4_NL as 16-bit lanes, for vectors that hold all of them, and bytes.
    private static final ShortVector DOUBLED;

    private static final ShortVector STEPS;
    private static final ByteVector DOUBLED_BYTES;
    private static final ByteVector STEP_BYTES;

    static {
        byte[] doubled = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
        byte[] steps = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
        VectorSpecies<Short> shorts = VectorSpecies.of(short.class, I.vectorShape());
        VectorSpecies<Byte> bytes = VectorSpecies.of(byte.class, I.vectorShape());
        short[] values = new short[64];
        byte[] small = new byte[64];
        for (int i = 0; i < 64; i++) {
            values[i] = small[i] = doubled[i % 16];
        }
        DOUBLED = ShortVector.fromArray(shorts, values, 0);
        DOUBLED_BYTES = ByteVector.fromArray(bytes, small, 0);
        for (int i = 0; i < 64; i++) {
            values[i] = small[i] = steps[i % 16];
        }
        STEPS = ShortVector.fromArray(shorts, values, 0);
        STEP_BYTES = ByteVector.fromArray(bytes, small, 0);
    }

    private PackedDots() {}

    /// All 32 columns fit one sum of 16 bits, 8 * 127 * 32 at most, so both 16-bit lanes are added there.
    static void q4_0(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            float[] starts,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long halves = L == ROWS ? next : 2 * L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 576L;
            long d = unit + (b & 1) * 32 + 2 * r;
            long q = unit + 64 + (b & 1) * 256 + 4 * r;
            int o = xAt + b * 32;
            ShortVector s0 =
                    IntVector.broadcast(I, (int) starts[e + b] & 0xffff).reinterpretAsShorts();
            ShortVector s1 = s0;
            IntVector q0 = IntVector.fromMemorySegment(I, w, q, LE);
            IntVector q1 = IntVector.fromMemorySegment(I, w, q + bytes, LE);
            ShortVector v = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 64, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 64 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 8]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 9]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 12]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 13]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 128, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 128 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 2]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 3]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 6]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 7]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 192, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 192 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 10]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 11]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 14]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 15]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.add(i0.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
            i1 = i1.add(i1.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d + halves, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// Sixteen products of at most 16 * 127 fit a sum of 16 bits; it begins at the cost of the offset.
    static void q5_0(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int[] sums,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long halves = L == ROWS ? next : 2 * L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 704L;
            long d = unit + (b & 1) * 32 + 2 * r;
            long q = unit + 64 + (b & 1) * 320 + 4 * r;
            long u = q + 256;
            int low = sums[2 * (e + b)];
            int high = sums[2 * (e + b) + 1];
            int left = -16 * ((short) low + (short) high);
            int right = -16 * ((low >> 16) + (high >> 16));
            ShortVector s0 =
                    IntVector.broadcast(I, (left & 0xffff) | right << 16).reinterpretAsShorts();
            ShortVector s1 = s0;
            IntVector f0 = IntVector.fromMemorySegment(I, w, u, LE);
            IntVector f1 = IntVector.fromMemorySegment(I, w, u + bytes, LE);
            // By halves: all at once is more than C1 can compile, and the JVM would interpret for seconds.
            for (int j = 0; j < 2; j++) {
                int o = xAt + b * 32 + j * 8;
                long p = q + j * 64;
                IntVector u0 = f0.lanewise(VectorOperators.LSHR, 2 * j);
                IntVector u1 = f1.lanewise(VectorOperators.LSHR, 2 * j);
                IntVector q0 = IntVector.fromMemorySegment(I, w, p, LE);
                IntVector q1 = IntVector.fromMemorySegment(I, w, p + bytes, LE);
                ShortVector v = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
                s0 = s0.add(q0.and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHL, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHL, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHL, 3).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHL, 3).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 5).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 5).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                q0 = IntVector.fromMemorySegment(I, w, p + 128, LE);
                q1 = IntVector.fromMemorySegment(I, w, p + 128 + bytes, LE);
                v = IntVector.broadcast(I, x[o + 2]).reinterpretAsShorts();
                s0 = s0.add(q0.and(NIBBLES)
                        .or(u0.and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.and(NIBBLES)
                        .or(u1.and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 3]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 8).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 8).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 6]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 1).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 1).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 7]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 9).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 9).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
            }
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i0.lanewise(VectorOperators.ASHR, 16));
            i1 = i1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i1.lanewise(VectorOperators.ASHR, 16));
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d + halves, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// Two products of at most 128 * 127 fit a sum of 16 bits.
    static void q8_0(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long halves = L == ROWS ? next : 2 * L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 1088L;
            long d = unit + (b & 1) * 32 + 2 * r;
            long q = unit + 64 + (b & 1) * 512 + 4 * r;
            IntVector i0 = IntVector.zero(I);
            IntVector i1 = i0;
            for (int j = 0; j < 8; j++) {
                // Vectors 0, 4, 1, 5, 2, 6, 3, 7, as their activations lie.
                int o = xAt + b * 32 + j * 2;
                long p = q + (j & 1) * 256 + (j >> 1) * 64;
                ShortVector even = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
                ShortVector odd = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
                ShortVector q0 = IntVector.fromMemorySegment(I, w, p, LE)
                        .lanewise(VectorOperators.XOR, 0x80808080)
                        .reinterpretAsShorts();
                ShortVector q1 = IntVector.fromMemorySegment(I, w, p + bytes, LE)
                        .lanewise(VectorOperators.XOR, 0x80808080)
                        .reinterpretAsShorts();
                IntVector s0 = q0.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(q0.lanewise(VectorOperators.ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                IntVector s1 = q1.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(q1.lanewise(VectorOperators.ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                i0 = i0.add(s0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(s0.lanewise(VectorOperators.ASHR, 16));
                i1 = i1.add(s1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(s1.lanewise(VectorOperators.ASHR, 16));
            }
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d + halves, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// Sixteen products of at most 12 * 127 fit a sum of 16 bits. For vectors that hold the table in 16-bit lanes.
    static void mxfp4(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long each = L == ROWS ? next : L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 544L;
            long d = unit + (b & 1) * 16 + r;
            long q = unit + 32 + (b & 1) * 256 + 4 * r;
            ShortVector s0 = IntVector.zero(I).reinterpretAsShorts();
            ShortVector s1 = s0;
            int o = xAt + b * 32;
            IntVector q0 = IntVector.fromMemorySegment(I, w, q, LE);
            IntVector q1 = IntVector.fromMemorySegment(I, w, q + bytes, LE);
            ShortVector v = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
            s0 = s0.add(
                    q0.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            s1 = s1.add(
                    q1.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            v = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 64, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 64 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 8]).reinterpretAsShorts();
            s0 = s0.add(
                    q0.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            s1 = s1.add(
                    q1.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            v = IntVector.broadcast(I, x[o + 9]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 12]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 13]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 128, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 128 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 2]).reinterpretAsShorts();
            s0 = s0.add(
                    q0.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            s1 = s1.add(
                    q1.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            v = IntVector.broadcast(I, x[o + 3]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 6]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 7]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 192, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 192 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 10]).reinterpretAsShorts();
            s0 = s0.add(
                    q0.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            s1 = s1.add(
                    q1.and(NIBBLES).reinterpretAsShorts().selectFrom(DOUBLED).mul(v));
            v = IntVector.broadcast(I, x[o + 11]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 14]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 15]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .selectFrom(DOUBLED)
                    .mul(v));
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i0.lanewise(VectorOperators.ASHR, 16));
            i1 = i1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i1.lanewise(VectorOperators.ASHR, 16));
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            IntVector.fromMemorySegment(I, w, d, LE)
                                    .rearrange(PackedTiles.QUARTERS)
                                    .lanewise(VectorOperators.LSHR, PackedTiles.BYTE_SHIFTS)
                                    .and(255)
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .reinterpretAsFloats()
                                    .mul(0.5f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            IntVector.fromMemorySegment(I, w, d + each, LE)
                                    .rearrange(PackedTiles.QUARTERS)
                                    .lanewise(VectorOperators.LSHR, PackedTiles.BYTE_SHIFTS)
                                    .and(255)
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .reinterpretAsFloats()
                                    .mul(0.5f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// {@link #mxfp4} with a table of bytes, for narrower vectors.
    static void mxfp4Bytes(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long each = L == ROWS ? next : L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 544L;
            long d = unit + (b & 1) * 16 + r;
            long q = unit + 32 + (b & 1) * 256 + 4 * r;
            ShortVector s0 = IntVector.zero(I).reinterpretAsShorts();
            ShortVector s1 = s0;
            for (int j = 0; j < 4; j++) {
                // Vectors 0, 2, 1, 3, as their activations lie.
                int o = xAt + b * 32 + (j >> 1) * 8 + (j & 1) * 2;
                long p = q + (j >> 1) * 64 + (j & 1) * 128;
                IntVector q0 = IntVector.fromMemorySegment(I, w, p, LE);
                IntVector q1 = IntVector.fromMemorySegment(I, w, p + bytes, LE);
                ShortVector t0;
                ShortVector t1;
                t0 = q0.and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(DOUBLED_BYTES)
                        .reinterpretAsShorts();
                t1 = q1.and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(DOUBLED_BYTES)
                        .reinterpretAsShorts();
                ShortVector even = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
                ShortVector odd = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
                s0 = s0.add(t0.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t0.lanewise(VectorOperators.ASHR, 8).mul(odd)));
                s1 = s1.add(t1.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t1.lanewise(VectorOperators.ASHR, 8).mul(odd)));
                t0 = q0.lanewise(VectorOperators.LSHR, 4)
                        .and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(DOUBLED_BYTES)
                        .reinterpretAsShorts();
                t1 = q1.lanewise(VectorOperators.LSHR, 4)
                        .and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(DOUBLED_BYTES)
                        .reinterpretAsShorts();
                even = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
                odd = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
                s0 = s0.add(t0.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t0.lanewise(VectorOperators.ASHR, 8).mul(odd)));
                s1 = s1.add(t1.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t1.lanewise(VectorOperators.ASHR, 8).mul(odd)));
            }
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i0.lanewise(VectorOperators.ASHR, 16));
            i1 = i1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i1.lanewise(VectorOperators.ASHR, 16));
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            IntVector.fromMemorySegment(I, w, d, LE)
                                    .rearrange(PackedTiles.QUARTERS)
                                    .lanewise(VectorOperators.LSHR, PackedTiles.BYTE_SHIFTS)
                                    .and(255)
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .reinterpretAsFloats()
                                    .mul(0.5f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            IntVector.fromMemorySegment(I, w, d + each, LE)
                                    .rearrange(PackedTiles.QUARTERS)
                                    .lanewise(VectorOperators.LSHR, PackedTiles.BYTE_SHIFTS)
                                    .and(255)
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .reinterpretAsFloats()
                                    .mul(0.5f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// Two products of at most 127 * 127 fit a sum of 16 bits. For vectors that hold the table in 16-bit lanes.
    static void iq4nl(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long halves = L == ROWS ? next : 2 * L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 576L;
            long d = unit + (b & 1) * 32 + 2 * r;
            long q = unit + 64 + (b & 1) * 256 + 4 * r;
            IntVector i0 = IntVector.zero(I);
            IntVector i1 = i0;
            for (int j = 0; j < 4; j++) {
                // Vectors 0, 2, 1, 3, as their activations lie.
                int o = xAt + b * 32 + (j >> 1) * 8 + (j & 1) * 2;
                long p = q + (j >> 1) * 64 + (j & 1) * 128;
                IntVector q0 = IntVector.fromMemorySegment(I, w, p, LE);
                IntVector q1 = IntVector.fromMemorySegment(I, w, p + bytes, LE);
                ShortVector even = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
                ShortVector odd = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
                IntVector s0 = q0.and(NIBBLES)
                        .reinterpretAsShorts()
                        .selectFrom(STEPS)
                        .mul(even)
                        .add(q0.lanewise(VectorOperators.LSHR, 8)
                                .and(NIBBLES)
                                .reinterpretAsShorts()
                                .selectFrom(STEPS)
                                .mul(odd))
                        .reinterpretAsInts();
                i0 = i0.add(s0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(s0.lanewise(VectorOperators.ASHR, 16));
                IntVector s1 = q1.and(NIBBLES)
                        .reinterpretAsShorts()
                        .selectFrom(STEPS)
                        .mul(even)
                        .add(q1.lanewise(VectorOperators.LSHR, 8)
                                .and(NIBBLES)
                                .reinterpretAsShorts()
                                .selectFrom(STEPS)
                                .mul(odd))
                        .reinterpretAsInts();
                i1 = i1.add(s1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(s1.lanewise(VectorOperators.ASHR, 16));
                even = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
                odd = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
                s0 = q0.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .reinterpretAsShorts()
                        .selectFrom(STEPS)
                        .mul(even)
                        .add(q0.lanewise(VectorOperators.LSHR, 12)
                                .and(NIBBLES)
                                .reinterpretAsShorts()
                                .selectFrom(STEPS)
                                .mul(odd))
                        .reinterpretAsInts();
                i0 = i0.add(s0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(s0.lanewise(VectorOperators.ASHR, 16));
                s1 = q1.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .reinterpretAsShorts()
                        .selectFrom(STEPS)
                        .mul(even)
                        .add(q1.lanewise(VectorOperators.LSHR, 12)
                                .and(NIBBLES)
                                .reinterpretAsShorts()
                                .selectFrom(STEPS)
                                .mul(odd))
                        .reinterpretAsInts();
                i1 = i1.add(s1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(s1.lanewise(VectorOperators.ASHR, 16));
            }
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d + halves, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// {@link #iq4nl} with a table of bytes, for narrower vectors.
    static void iq4nlBytes(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int e,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        long halves = L == ROWS ? next : 2 * L;
        for (int b = 0; b < blocks; b++) {
            long unit = at + (b >> 1) * 576L;
            long d = unit + (b & 1) * 32 + 2 * r;
            long q = unit + 64 + (b & 1) * 256 + 4 * r;
            IntVector i0 = IntVector.zero(I);
            IntVector i1 = i0;
            for (int j = 0; j < 4; j++) {
                // Vectors 0, 2, 1, 3, as their activations lie.
                int o = xAt + b * 32 + (j >> 1) * 8 + (j & 1) * 2;
                long p = q + (j >> 1) * 64 + (j & 1) * 128;
                IntVector q0 = IntVector.fromMemorySegment(I, w, p, LE);
                IntVector q1 = IntVector.fromMemorySegment(I, w, p + bytes, LE);
                ShortVector t0;
                ShortVector t1;
                t0 = q0.and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(STEP_BYTES)
                        .reinterpretAsShorts();
                t1 = q1.and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(STEP_BYTES)
                        .reinterpretAsShorts();
                ShortVector even = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
                ShortVector odd = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
                IntVector p0 = t0.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t0.lanewise(VectorOperators.ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                i0 = i0.add(p0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(p0.lanewise(VectorOperators.ASHR, 16));
                IntVector p1 = t1.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t1.lanewise(VectorOperators.ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                i1 = i1.add(p1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(p1.lanewise(VectorOperators.ASHR, 16));
                t0 = q0.lanewise(VectorOperators.LSHR, 4)
                        .and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(STEP_BYTES)
                        .reinterpretAsShorts();
                t1 = q1.lanewise(VectorOperators.LSHR, 4)
                        .and(0x0f0f0f0f)
                        .reinterpretAsBytes()
                        .selectFrom(STEP_BYTES)
                        .reinterpretAsShorts();
                even = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
                odd = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
                p0 = t0.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t0.lanewise(VectorOperators.ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                i0 = i0.add(p0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(p0.lanewise(VectorOperators.ASHR, 16));
                p1 = t1.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .mul(even)
                        .add(t1.lanewise(VectorOperators.ASHR, 8).mul(odd))
                        .reinterpretAsInts();
                i1 = i1.add(p1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(p1.lanewise(VectorOperators.ASHR, 16));
            }
            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt))
                    .intoArray(y, yAt);
            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(HALVES, w, d + halves, LE)
                                            .convertShape(VectorOperators.S2I, I, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(0x8fffe000)
                                    .reinterpretAsFloats()
                                    .mul(0x1p112f)
                                    .mul(0x1p112f)
                                    .mul(0x1p-112f),
                            FloatVector.fromArray(F, y, yAt + L))
                    .intoArray(y, yAt + L);
        }
    }

    /// Sixteen products of at most 15 * 127 fit a sum of 16 bits.
    static void q4_K(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            float[] starts,
            int e,
            float[] f,
            int d,
            int m,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        for (int b = 0; b < blocks; b++) {
            long q = at + 320 + b * 256L + 4 * r;

            int o = xAt + b * 32;
            ShortVector s0 = IntVector.zero(I).reinterpretAsShorts();
            ShortVector s1 = s0;
            IntVector q0 = IntVector.fromMemorySegment(I, w, q, LE);
            IntVector q1 = IntVector.fromMemorySegment(I, w, q + bytes, LE);
            ShortVector v = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 64, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 64 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 8]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 9]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 12]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 13]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 128, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 128 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 2]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 3]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 6]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 7]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 192, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 192 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 10]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES).reinterpretAsShorts().mul(v));
            s1 = s1.add(q1.and(NIBBLES).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 11]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 14]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 15]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .reinterpretAsShorts()
                    .mul(v));
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i0.lanewise(VectorOperators.ASHR, 16));
            i1 = i1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i1.lanewise(VectorOperators.ASHR, 16));
            FloatVector start = FloatVector.broadcast(F, starts[e + b]);
            FloatVector.fromArray(F, f, m + b * 32)
                    .fma(
                            start,
                            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                                    .mul(scales[e + b])
                                    .fma(FloatVector.fromArray(F, f, d + b * 32), FloatVector.fromArray(F, y, yAt)))
                    .intoArray(y, yAt);
            FloatVector.fromArray(F, f, m + b * 32 + L)
                    .fma(
                            start,
                            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                                    .mul(scales[e + b])
                                    .fma(
                                            FloatVector.fromArray(F, f, d + b * 32 + L),
                                            FloatVector.fromArray(F, y, yAt + L)))
                    .intoArray(y, yAt + L);
        }
    }

    /// As {@link #q5_0}, with sixteen times the activations added back.
    static void q5_K(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            float[] starts,
            int[] sums,
            int e,
            float[] f,
            int d,
            int m,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        for (int b = 0; b < blocks; b++) {
            long q = at + 320 + b * 320L + 4 * r;

            long u = q + 256;
            int low = sums[2 * (e + b)];
            int high = sums[2 * (e + b) + 1];
            int left = -16 * ((short) low + (short) high);
            int right = -16 * ((low >> 16) + (high >> 16));
            ShortVector s0 =
                    IntVector.broadcast(I, (left & 0xffff) | right << 16).reinterpretAsShorts();
            ShortVector s1 = s0;
            IntVector f0 = IntVector.fromMemorySegment(I, w, u, LE);
            IntVector f1 = IntVector.fromMemorySegment(I, w, u + bytes, LE);
            // By halves: all at once is more than C1 can compile, and the JVM would interpret for seconds.
            for (int j = 0; j < 2; j++) {
                int o = xAt + b * 32 + j * 8;
                long p = q + j * 64;
                IntVector u0 = f0.lanewise(VectorOperators.LSHR, 2 * j);
                IntVector u1 = f1.lanewise(VectorOperators.LSHR, 2 * j);
                IntVector q0 = IntVector.fromMemorySegment(I, w, p, LE);
                IntVector q1 = IntVector.fromMemorySegment(I, w, p + bytes, LE);
                ShortVector v = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
                s0 = s0.add(q0.and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHL, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHL, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 4).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHL, 3).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHL, 3).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 5).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 5).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                q0 = IntVector.fromMemorySegment(I, w, p + 128, LE);
                q1 = IntVector.fromMemorySegment(I, w, p + 128 + bytes, LE);
                v = IntVector.broadcast(I, x[o + 2]).reinterpretAsShorts();
                s0 = s0.add(q0.and(NIBBLES)
                        .or(u0.and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.and(NIBBLES)
                        .or(u1.and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 3]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 8).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 8).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 6]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 1).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 1).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                v = IntVector.broadcast(I, x[o + 7]).reinterpretAsShorts();
                s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u0.lanewise(VectorOperators.LSHR, 9).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
                s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(u1.lanewise(VectorOperators.LSHR, 9).and(0x00100010))
                        .reinterpretAsShorts()
                        .mul(v));
            }
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i0.lanewise(VectorOperators.ASHR, 16));
            i1 = i1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i1.lanewise(VectorOperators.ASHR, 16));
            i0 = i0.sub(left + right);
            i1 = i1.sub(left + right);
            FloatVector start = FloatVector.broadcast(F, starts[e + b]);
            FloatVector.fromArray(F, f, m + b * 32)
                    .fma(
                            start,
                            ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                                    .mul(scales[e + b])
                                    .fma(FloatVector.fromArray(F, f, d + b * 32), FloatVector.fromArray(F, y, yAt)))
                    .intoArray(y, yAt);
            FloatVector.fromArray(F, f, m + b * 32 + L)
                    .fma(
                            start,
                            ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                                    .mul(scales[e + b])
                                    .fma(
                                            FloatVector.fromArray(F, f, d + b * 32 + L),
                                            FloatVector.fromArray(F, y, yAt + L)))
                    .intoArray(y, yAt + L);
        }
    }

    /// Eight products of at most 32 * 127 fit a sum of 16 bits; it begins at the cost of the offset.
    static void q6_K(
            MemorySegment w,
            long at,
            long next,
            int r,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int[] sums,
            int e,
            float[] f,
            int d,
            float[] y,
            int yAt) {
        long bytes = L == ROWS ? next : 4 * L;
        FloatVector a0 = FloatVector.fromArray(F, y, yAt);
        FloatVector a1 = FloatVector.fromArray(F, y, yAt + L);
        for (int h = 0; h < 2 * blocks; h++) {
            int b = h >> 1;
            long q = at + 320 + b * 384L + (h & 1) * 128 + 4 * r;
            long u = at + 576 + b * 384L + (h & 1) * 64 + 4 * r;
            int o = xAt + b * 32 + (h & 1) * 2;
            int pair = sums[2 * e + h];
            int start = (-32 * pair & 0xffff) | (-32 * (pair >> 16)) << 16;
            ShortVector s0 = IntVector.broadcast(I, start).reinterpretAsShorts();
            ShortVector s1 = s0;
            IntVector u0 = IntVector.fromMemorySegment(I, w, u, LE);
            IntVector u1 = IntVector.fromMemorySegment(I, w, u + bytes, LE);
            IntVector q0 = IntVector.fromMemorySegment(I, w, q, LE);
            IntVector q1 = IntVector.fromMemorySegment(I, w, q + bytes, LE);
            ShortVector v = IntVector.broadcast(I, x[o]).reinterpretAsShorts();
            s0 = s0.add(q0.and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHL, 4).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHL, 4).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 1]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHR, 4).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHR, 4).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 4]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHL, 2).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHL, 2).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 5]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHR, 6).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHR, 6).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            q0 = IntVector.fromMemorySegment(I, w, q + 64, LE);
            q1 = IntVector.fromMemorySegment(I, w, q + 64 + bytes, LE);
            v = IntVector.broadcast(I, x[o + 8]).reinterpretAsShorts();
            s0 = s0.add(
                    q0.and(NIBBLES).or(u0.and(0x00300030)).reinterpretAsShorts().mul(v));
            s1 = s1.add(
                    q1.and(NIBBLES).or(u1.and(0x00300030)).reinterpretAsShorts().mul(v));
            v = IntVector.broadcast(I, x[o + 9]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHR, 8).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 8)
                    .and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHR, 8).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 12]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHR, 2).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 4)
                    .and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHR, 2).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            v = IntVector.broadcast(I, x[o + 13]).reinterpretAsShorts();
            s0 = s0.add(q0.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .or(u0.lanewise(VectorOperators.LSHR, 10).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            s1 = s1.add(q1.lanewise(VectorOperators.LSHR, 12)
                    .and(NIBBLES)
                    .or(u1.lanewise(VectorOperators.LSHR, 10).and(0x00300030))
                    .reinterpretAsShorts()
                    .mul(v));
            IntVector i0 = s0.reinterpretAsInts();
            IntVector i1 = s1.reinterpretAsInts();
            i0 = i0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i0.lanewise(VectorOperators.ASHR, 16));
            i1 = i1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(i1.lanewise(VectorOperators.ASHR, 16));
            a0 = ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(FloatVector.fromArray(F, f, d + h * 32), a0);
            a1 = ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                    .mul(scales[e + b])
                    .fma(FloatVector.fromArray(F, f, d + h * 32 + L), a1);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + L);
    }

    /// Four sums of every fourth column. `blocks` are units of four columns.
    static void f16(MemorySegment w, long at, long next, int r, int units, int[] x, int xAt, float[] y, int yAt) {
        long halves = L == ROWS ? next : 2 * L;
        FloatVector c0 = FloatVector.zero(F);
        FloatVector d0 = FloatVector.zero(F);
        FloatVector c1 = FloatVector.zero(F);
        FloatVector d1 = FloatVector.zero(F);
        FloatVector c2 = FloatVector.zero(F);
        FloatVector d2 = FloatVector.zero(F);
        FloatVector c3 = FloatVector.zero(F);
        FloatVector d3 = FloatVector.zero(F);
        for (int u = 0; u < units; u++) {
            int o = xAt + u * 4;
            long p = at + u * 128L + 2 * r;
            FloatVector v = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
            c0 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p, LE).convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, c0);
            d0 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, d0);
            v = IntVector.broadcast(I, x[o + 1]).reinterpretAsFloats();
            c1 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 32, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, c1);
            d1 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 32 + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, d1);
            v = IntVector.broadcast(I, x[o + 2]).reinterpretAsFloats();
            c2 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 64, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, c2);
            d2 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 64 + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, d2);
            v = IntVector.broadcast(I, x[o + 3]).reinterpretAsFloats();
            c3 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 96, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, c3);
            d3 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 96 + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(0x8fffe000)
                    .reinterpretAsFloats()
                    .mul(0x1p112f)
                    .mul(0x1p112f)
                    .mul(0x1p-112f)
                    .fma(v, d3);
        }
        c0.add(c2).add(c1.add(c3)).intoArray(y, yAt);
        d0.add(d2).add(d1.add(d3)).intoArray(y, yAt + L);
    }

    /// As {@link #f16}.
    static void bf16(MemorySegment w, long at, long next, int r, int units, int[] x, int xAt, float[] y, int yAt) {
        long halves = L == ROWS ? next : 2 * L;
        FloatVector c0 = FloatVector.zero(F);
        FloatVector d0 = FloatVector.zero(F);
        FloatVector c1 = FloatVector.zero(F);
        FloatVector d1 = FloatVector.zero(F);
        FloatVector c2 = FloatVector.zero(F);
        FloatVector d2 = FloatVector.zero(F);
        FloatVector c3 = FloatVector.zero(F);
        FloatVector d3 = FloatVector.zero(F);
        for (int u = 0; u < units; u++) {
            int o = xAt + u * 4;
            long p = at + u * 128L + 2 * r;
            FloatVector v = IntVector.broadcast(I, x[o]).reinterpretAsFloats();
            c0 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p, LE).convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, c0);
            d0 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, d0);
            v = IntVector.broadcast(I, x[o + 1]).reinterpretAsFloats();
            c1 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 32, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, c1);
            d1 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 32 + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, d1);
            v = IntVector.broadcast(I, x[o + 2]).reinterpretAsFloats();
            c2 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 64, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, c2);
            d2 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 64 + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, d2);
            v = IntVector.broadcast(I, x[o + 3]).reinterpretAsFloats();
            c3 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 96, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, c3);
            d3 = ((IntVector) ShortVector.fromMemorySegment(HALVES, w, p + 96 + halves, LE)
                            .convertShape(VectorOperators.S2I, I, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, d3);
        }
        c0.add(c2).add(c1.add(c3)).intoArray(y, yAt);
        d0.add(d2).add(d1.add(d3)).intoArray(y, yAt + L);
    }
}
