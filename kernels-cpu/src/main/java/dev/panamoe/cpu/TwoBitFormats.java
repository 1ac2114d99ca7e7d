package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// The K types with two bits of a value in one place. Each half of a block has 32 bytes, and bits `2 j` and `2 j + 1`
/// of them are its values `32 j` to `32 j + 31`, the first sixteen of which have one scale, the others another.
final class TwoBitFormats {
    private TwoBitFormats() {}

    static final class Q2_K implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 256, o += 84) {
                float d = LittleEndian.f16(src, o + 80);
                float dmin = LittleEndian.f16(src, o + 82);
                for (int k = 0; k < 16; k++) {
                    int sc = LittleEndian.u8(src, o + k);
                    FloatVector scale = FloatVector.broadcast(F, d * (sc & 15));
                    FloatVector base = FloatVector.broadcast(F, -dmin * (sc >> 4));
                    for (int l = 0; l < 16; l += L) {
                        IntVector q = Simd.unsignedBytes(src, o + 16 + 32 * (k >> 3) + 16 * (k & 1) + l);
                        value(q, k & 6).fma(scale, base).intoArray(dst, at + i + 16 * k + l);
                    }
                }
            }
        }

        private static FloatVector value(IntVector q, int shift) {
            return (FloatVector) q.lanewise(VectorOperators.LSHR, shift).and(3).convert(VectorOperators.I2F, 0);
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 256, o += 84) {
                    float d = LittleEndian.f16(src, o + 80);
                    float dmin = LittleEndian.f16(src, o + 82);
                    for (int h = 0; h < 2; h++) {
                        long scales = src.get(LittleEndian.I64, o + 8 * h);
                        IntVector q = Simd.unsignedBytes(src, o + 16 + 32 * h + part);
                        IntVector r = Simd.unsignedBytes(src, o + 32 + 32 * h + part);
                        for (int j = 0; j < 4; j++) {
                            int t = at + i + 128 * h + 32 * j;
                            int sc = (int) (scales >>> (16 * j));
                            FloatVector scale0 = FloatVector.broadcast(F, d * (sc & 15));
                            FloatVector base0 = FloatVector.broadcast(F, -dmin * (sc >>> 4 & 15));
                            FloatVector scale1 = FloatVector.broadcast(F, d * (sc >>> 8 & 15));
                            FloatVector base1 = FloatVector.broadcast(F, -dmin * (sc >>> 12 & 15));
                            a = value(q, 2 * j).fma(scale0, base0).fma(FloatVector.fromArray(F, x, t), a);
                            a = value(r, 2 * j).fma(scale1, base1).fma(FloatVector.fromArray(F, x, t + 16), a);
                        }
                    }
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class Q3_K implements WeightFormat {
        /// The eight scales of half `h` of a block, byte `k` being that of values `16 k` to `16 k + 15`, too large by
        /// 32.
        private static long scales(MemorySegment src, long o, int h) {
            long lower = src.get(LittleEndian.I64, o + 96) >>> (4 * h) & 0x0f0f0f0f0f0f0f0fL;
            int upper = src.get(LittleEndian.I32, o + 104) >>> (4 * h);
            return lower | (upper & 0x03030303L) << 4 | (upper >>> 2 & 0x03030303L) << 36;
        }

        /// Two bits from `shift` on and above them bit `third`, as 0 to 7: values are these minus 4.
        private static FloatVector value(IntVector q, int shift, IntVector mask, int third) {
            IntVector top = mask.lanewise(VectorOperators.LSHR, third).and(1).lanewise(VectorOperators.LSHL, 2);
            return (FloatVector)
                    q.lanewise(VectorOperators.LSHR, shift).and(3).or(top).convert(VectorOperators.I2F, 0);
        }

        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 256, o += 110) {
                float d = LittleEndian.f16(src, o + 108);
                for (int h = 0; h < 2; h++) {
                    long scales = scales(src, o, h);
                    for (int k = 0; k < 8; k++) {
                        float dl = d * ((int) (scales >>> (8 * k) & 255) - 32);
                        FloatVector scale = FloatVector.broadcast(F, dl);
                        FloatVector base = FloatVector.broadcast(F, -4 * dl);
                        for (int l = 16 * (k & 1); l < 16 * (k & 1) + 16; l += L) {
                            IntVector q = Simd.unsignedBytes(src, o + 32 + 32 * h + l);
                            IntVector mask = Simd.unsignedBytes(src, o + l);
                            value(q, k & 6, mask, 4 * h + (k >> 1))
                                    .fma(scale, base)
                                    .intoArray(dst, at + i + 128 * h + 32 * (k >> 1) + l);
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
                for (int i = part; i < count; i += 256, o += 110) {
                    float d = LittleEndian.f16(src, o + 108);
                    IntVector qMask = Simd.unsignedBytes(src, o + part);
                    IntVector rMask = Simd.unsignedBytes(src, o + 16 + part);
                    for (int h = 0; h < 2; h++) {
                        long scales = scales(src, o, h);
                        IntVector q = Simd.unsignedBytes(src, o + 32 + 32 * h + part);
                        IntVector r = Simd.unsignedBytes(src, o + 48 + 32 * h + part);
                        for (int j = 0; j < 4; j++) {
                            int t = at + i + 128 * h + 32 * j;
                            float d0 = d * ((int) (scales >>> (16 * j) & 255) - 32);
                            float d1 = d * ((int) (scales >>> (16 * j + 8) & 255) - 32);
                            a = value(q, 2 * j, qMask, 4 * h + j)
                                    .fma(FloatVector.broadcast(F, d0), FloatVector.broadcast(F, -4 * d0))
                                    .fma(FloatVector.fromArray(F, x, t), a);
                            a = value(r, 2 * j, rMask, 4 * h + j)
                                    .fma(FloatVector.broadcast(F, d1), FloatVector.broadcast(F, -4 * d1))
                                    .fma(FloatVector.fromArray(F, x, t + 16), a);
                        }
                    }
                }
                a.intoArray(sums, s + part);
            }
        }
    }
}
