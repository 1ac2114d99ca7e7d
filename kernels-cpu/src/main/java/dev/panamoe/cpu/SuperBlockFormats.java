package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// The types with blocks of 256 values.
final class SuperBlockFormats {
    private SuperBlockFormats() {}

    // Q4_K and Q5_K pack eight scales and eight minima of six bits into three words; the kernels make a long of each
    // eight, byte `k` of which belongs to group `k`.

    /// Scales (first word) or minima (second word) of groups 0 to 3.
    private static int low6(int word) {
        return word & 0x3f3f3f3f;
    }

    /// Scales or minima of groups 4 to 7: four bits of the last word, two upper bits of another.
    private static int joined6(int fourBits, int upperBits) {
        return (fourBits & 0x0f0f0f0f) | (upperBits >>> 2 & 0x30303030);
    }

    static final class Q4_K implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 256, o += 144) {
                float d = LittleEndian.f16(src, o);
                float dmin = LittleEndian.f16(src, o + 2);
                int w0 = src.get(LittleEndian.I32, o + 4);
                int w1 = src.get(LittleEndian.I32, o + 8);
                int w2 = src.get(LittleEndian.I32, o + 12);
                long scales = low6(w0) | (long) joined6(w2, w0) << 32;
                long mins = low6(w1) | (long) joined6(w2 >>> 4, w1) << 32;
                for (int g = 0; g < 4; g++) {
                    int shift = 16 * g;
                    FloatVector scale0 = FloatVector.broadcast(F, d * (int) (scales >>> shift & 255));
                    FloatVector scale1 = FloatVector.broadcast(F, d * (int) (scales >>> (shift + 8) & 255));
                    FloatVector base0 = FloatVector.broadcast(F, -dmin * (int) (mins >>> shift & 255));
                    FloatVector base1 = FloatVector.broadcast(F, -dmin * (int) (mins >>> (shift + 8) & 255));
                    for (int j = 0; j < 32; j += L) {
                        IntVector q = Simd.unsignedBytes(src, o + 16 + 32 * g + j);
                        FloatVector low = (FloatVector) q.and(15).convert(VectorOperators.I2F, 0);
                        FloatVector high = (FloatVector)
                                q.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0);
                        low.fma(scale0, base0).intoArray(dst, at + i + 64 * g + j);
                        high.fma(scale1, base1).intoArray(dst, at + i + 64 * g + j + 32);
                    }
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 256, o += 144) {
                    float d = LittleEndian.f16(src, o);
                    float dmin = LittleEndian.f16(src, o + 2);
                    int w0 = src.get(LittleEndian.I32, o + 4);
                    int w1 = src.get(LittleEndian.I32, o + 8);
                    int w2 = src.get(LittleEndian.I32, o + 12);
                    long scales = low6(w0) | (long) joined6(w2, w0) << 32;
                    long mins = low6(w1) | (long) joined6(w2 >>> 4, w1) << 32;
                    for (int g = 0; g < 4; g++) {
                        int shift = 16 * g;
                        int t = at + i + 64 * g;
                        FloatVector scale0 = FloatVector.broadcast(F, d * (int) (scales >>> shift & 255));
                        FloatVector scale1 = FloatVector.broadcast(F, d * (int) (scales >>> (shift + 8) & 255));
                        FloatVector base0 = FloatVector.broadcast(F, -dmin * (int) (mins >>> shift & 255));
                        FloatVector base1 = FloatVector.broadcast(F, -dmin * (int) (mins >>> (shift + 8) & 255));
                        IntVector q = Simd.unsignedBytes(src, o + 16 + 32 * g + part);
                        IntVector r = Simd.unsignedBytes(src, o + 32 + 32 * g + part);
                        a = ((FloatVector) q.and(15).convert(VectorOperators.I2F, 0))
                                .fma(scale0, base0)
                                .fma(FloatVector.fromArray(F, x, t), a);
                        a = ((FloatVector) r.and(15).convert(VectorOperators.I2F, 0))
                                .fma(scale0, base0)
                                .fma(FloatVector.fromArray(F, x, t + 16), a);
                        a = ((FloatVector) q.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0))
                                .fma(scale1, base1)
                                .fma(FloatVector.fromArray(F, x, t + 32), a);
                        a = ((FloatVector) r.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0))
                                .fma(scale1, base1)
                                .fma(FloatVector.fromArray(F, x, t + 48), a);
                    }
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class Q5_K implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 256, o += 176) {
                float d = LittleEndian.f16(src, o);
                float dmin = LittleEndian.f16(src, o + 2);
                int w0 = src.get(LittleEndian.I32, o + 4);
                int w1 = src.get(LittleEndian.I32, o + 8);
                int w2 = src.get(LittleEndian.I32, o + 12);
                long scales = low6(w0) | (long) joined6(w2, w0) << 32;
                long mins = low6(w1) | (long) joined6(w2 >>> 4, w1) << 32;
                for (int g = 0; g < 4; g++) {
                    int shift = 16 * g;
                    FloatVector scale0 = FloatVector.broadcast(F, d * (int) (scales >>> shift & 255));
                    FloatVector scale1 = FloatVector.broadcast(F, d * (int) (scales >>> (shift + 8) & 255));
                    FloatVector base0 = FloatVector.broadcast(F, -dmin * (int) (mins >>> shift & 255));
                    FloatVector base1 = FloatVector.broadcast(F, -dmin * (int) (mins >>> (shift + 8) & 255));
                    for (int j = 0; j < 32; j += L) {
                        IntVector q = Simd.unsignedBytes(src, o + 48 + 32 * g + j);
                        // Bits 2g and 2g + 1 are the fifth bits of the two halves.
                        IntVector fifth = Simd.unsignedBytes(src, o + 16 + j)
                                .lanewise(VectorOperators.LSHR, 2 * g)
                                .lanewise(VectorOperators.LSHL, 4);
                        IntVector low = q.and(15).or(fifth.and(16));
                        IntVector high = q.lanewise(VectorOperators.LSHR, 4)
                                .or(fifth.lanewise(VectorOperators.LSHR, 1).and(16));
                        ((FloatVector) low.convert(VectorOperators.I2F, 0))
                                .fma(scale0, base0)
                                .intoArray(dst, at + i + 64 * g + j);
                        ((FloatVector) high.convert(VectorOperators.I2F, 0))
                                .fma(scale1, base1)
                                .intoArray(dst, at + i + 64 * g + j + 32);
                    }
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 256, o += 176) {
                    float d = LittleEndian.f16(src, o);
                    float dmin = LittleEndian.f16(src, o + 2);
                    int w0 = src.get(LittleEndian.I32, o + 4);
                    int w1 = src.get(LittleEndian.I32, o + 8);
                    int w2 = src.get(LittleEndian.I32, o + 12);
                    long scales = low6(w0) | (long) joined6(w2, w0) << 32;
                    long mins = low6(w1) | (long) joined6(w2 >>> 4, w1) << 32;
                    for (int g = 0; g < 4; g++) {
                        int shift = 16 * g;
                        int t = at + i + 64 * g;
                        FloatVector scale0 = FloatVector.broadcast(F, d * (int) (scales >>> shift & 255));
                        FloatVector scale1 = FloatVector.broadcast(F, d * (int) (scales >>> (shift + 8) & 255));
                        FloatVector base0 = FloatVector.broadcast(F, -dmin * (int) (mins >>> shift & 255));
                        FloatVector base1 = FloatVector.broadcast(F, -dmin * (int) (mins >>> (shift + 8) & 255));
                        IntVector q = Simd.unsignedBytes(src, o + 48 + 32 * g + part);
                        IntVector r = Simd.unsignedBytes(src, o + 64 + 32 * g + part);
                        IntVector qFifth = Simd.unsignedBytes(src, o + 16 + part)
                                .lanewise(VectorOperators.LSHR, 2 * g)
                                .lanewise(VectorOperators.LSHL, 4);
                        IntVector rFifth = Simd.unsignedBytes(src, o + 32 + part)
                                .lanewise(VectorOperators.LSHR, 2 * g)
                                .lanewise(VectorOperators.LSHL, 4);
                        a = ((FloatVector) q.and(15).or(qFifth.and(16)).convert(VectorOperators.I2F, 0))
                                .fma(scale0, base0)
                                .fma(FloatVector.fromArray(F, x, t), a);
                        a = ((FloatVector) r.and(15).or(rFifth.and(16)).convert(VectorOperators.I2F, 0))
                                .fma(scale0, base0)
                                .fma(FloatVector.fromArray(F, x, t + 16), a);
                        a = ((FloatVector) q.lanewise(VectorOperators.LSHR, 4)
                                        .or(qFifth.lanewise(VectorOperators.LSHR, 1)
                                                .and(16))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(scale1, base1)
                                .fma(FloatVector.fromArray(F, x, t + 32), a);
                        a = ((FloatVector) r.lanewise(VectorOperators.LSHR, 4)
                                        .or(rFifth.lanewise(VectorOperators.LSHR, 1)
                                                .and(16))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(scale1, base1)
                                .fma(FloatVector.fromArray(F, x, t + 48), a);
                    }
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class Q6_K implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 256, o += 210) {
                float d = LittleEndian.f16(src, o + 208);
                for (int h = 0; h < 2; h++) {
                    long scales = src.get(LittleEndian.I64, o + 192 + 8 * h);
                    for (int half = 0; half < 2; half++) {
                        // Sixteen bytes of each plane share their four scales.
                        float d0 = d * (byte) (scales >>> (8 * half));
                        float d1 = d * (byte) (scales >>> (8 * half + 16));
                        float d2 = d * (byte) (scales >>> (8 * half + 32));
                        float d3 = d * (byte) (scales >>> (8 * half + 48));
                        FloatVector scale0 = FloatVector.broadcast(F, d0);
                        FloatVector scale1 = FloatVector.broadcast(F, d1);
                        FloatVector scale2 = FloatVector.broadcast(F, d2);
                        FloatVector scale3 = FloatVector.broadcast(F, d3);
                        FloatVector base0 = FloatVector.broadcast(F, -32 * d0);
                        FloatVector base1 = FloatVector.broadcast(F, -32 * d1);
                        FloatVector base2 = FloatVector.broadcast(F, -32 * d2);
                        FloatVector base3 = FloatVector.broadcast(F, -32 * d3);
                        for (int j = 16 * half; j < 16 * half + 16; j += L) {
                            IntVector a = Simd.unsignedBytes(src, o + 64 * h + j);
                            IntVector b = Simd.unsignedBytes(src, o + 64 * h + 32 + j);
                            IntVector up = Simd.unsignedBytes(src, o + 128 + 32 * h + j);
                            IntVector q0 = a.and(15)
                                    .or(up.lanewise(VectorOperators.LSHL, 4).and(48));
                            IntVector q1 = b.and(15)
                                    .or(up.lanewise(VectorOperators.LSHL, 2).and(48));
                            IntVector q2 = a.lanewise(VectorOperators.LSHR, 4).or(up.and(48));
                            IntVector q3 = b.lanewise(VectorOperators.LSHR, 4)
                                    .or(up.lanewise(VectorOperators.LSHR, 2).and(48));
                            int t = at + i + 128 * h + j;
                            ((FloatVector) q0.convert(VectorOperators.I2F, 0))
                                    .fma(scale0, base0)
                                    .intoArray(dst, t);
                            ((FloatVector) q1.convert(VectorOperators.I2F, 0))
                                    .fma(scale1, base1)
                                    .intoArray(dst, t + 32);
                            ((FloatVector) q2.convert(VectorOperators.I2F, 0))
                                    .fma(scale2, base2)
                                    .intoArray(dst, t + 64);
                            ((FloatVector) q3.convert(VectorOperators.I2F, 0))
                                    .fma(scale3, base3)
                                    .intoArray(dst, t + 96);
                        }
                    }
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 256, o += 210) {
                    float d = LittleEndian.f16(src, o + 208);
                    for (int h = 0; h < 2; h++) {
                        long scales = src.get(LittleEndian.I64, o + 192 + 8 * h);
                        int t = at + i + 128 * h;
                        long ql = o + 64 * h + part;
                        long qh = o + 128 + 32 * h + part;
                        IntVector up0 = Simd.unsignedBytes(src, qh);
                        IntVector up1 = Simd.unsignedBytes(src, qh + 16);
                        IntVector q = Simd.unsignedBytes(src, ql);
                        IntVector r = Simd.unsignedBytes(src, ql + 16);
                        IntVector u = Simd.unsignedBytes(src, ql + 32);
                        IntVector v = Simd.unsignedBytes(src, ql + 48);
                        float d0 = d * (byte) scales;
                        a = ((FloatVector) q.and(15)
                                        .or(up0.lanewise(VectorOperators.LSHL, 4)
                                                .and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d0), FloatVector.broadcast(F, -32 * d0))
                                .fma(FloatVector.fromArray(F, x, t), a);
                        float d1 = d * (byte) (scales >>> 8);
                        a = ((FloatVector) r.and(15)
                                        .or(up1.lanewise(VectorOperators.LSHL, 4)
                                                .and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d1), FloatVector.broadcast(F, -32 * d1))
                                .fma(FloatVector.fromArray(F, x, t + 16), a);
                        float d2 = d * (byte) (scales >>> 16);
                        a = ((FloatVector) u.and(15)
                                        .or(up0.lanewise(VectorOperators.LSHL, 2)
                                                .and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d2), FloatVector.broadcast(F, -32 * d2))
                                .fma(FloatVector.fromArray(F, x, t + 32), a);
                        float d3 = d * (byte) (scales >>> 24);
                        a = ((FloatVector) v.and(15)
                                        .or(up1.lanewise(VectorOperators.LSHL, 2)
                                                .and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d3), FloatVector.broadcast(F, -32 * d3))
                                .fma(FloatVector.fromArray(F, x, t + 48), a);
                        float d4 = d * (byte) (scales >>> 32);
                        a = ((FloatVector) q.lanewise(VectorOperators.LSHR, 4)
                                        .or(up0.and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d4), FloatVector.broadcast(F, -32 * d4))
                                .fma(FloatVector.fromArray(F, x, t + 64), a);
                        float d5 = d * (byte) (scales >>> 40);
                        a = ((FloatVector) r.lanewise(VectorOperators.LSHR, 4)
                                        .or(up1.and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d5), FloatVector.broadcast(F, -32 * d5))
                                .fma(FloatVector.fromArray(F, x, t + 80), a);
                        float d6 = d * (byte) (scales >>> 48);
                        a = ((FloatVector) u.lanewise(VectorOperators.LSHR, 4)
                                        .or(up0.lanewise(VectorOperators.LSHR, 2)
                                                .and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d6), FloatVector.broadcast(F, -32 * d6))
                                .fma(FloatVector.fromArray(F, x, t + 96), a);
                        float d7 = d * (byte) (scales >>> 56);
                        a = ((FloatVector) v.lanewise(VectorOperators.LSHR, 4)
                                        .or(up1.lanewise(VectorOperators.LSHR, 2)
                                                .and(48))
                                        .convert(VectorOperators.I2F, 0))
                                .fma(FloatVector.broadcast(F, d7), FloatVector.broadcast(F, -32 * d7))
                                .fma(FloatVector.fromArray(F, x, t + 112), a);
                    }
                }
                a.intoArray(sums, s + part);
            }
        }
    }
}
