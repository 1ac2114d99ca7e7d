package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.I;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// The types with blocks of 32 values. In the 4- and 5-bit ones the low nibbles of sixteen bytes are values 0 to 15,
/// the high nibbles values 16 to 31.
///
/// Offsets such as `(q - 8) * d` are computed as `fma(q, d, -8 * d)`: both are exact, and the latter is one operation.
final class BlockFormats {
    private BlockFormats() {}

    static final class Q4_0 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 18) {
                float d = LittleEndian.f16(src, o);
                FloatVector scale = FloatVector.broadcast(F, d);
                FloatVector base = FloatVector.broadcast(F, -8 * d);
                for (int j = 0; j < 16; j += L) {
                    IntVector q = Simd.unsignedBytes(src, o + 2 + j);
                    FloatVector low = (FloatVector) q.and(15).convert(VectorOperators.I2F, 0);
                    FloatVector high =
                            (FloatVector) q.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0);
                    low.fma(scale, base).intoArray(dst, at + i + j);
                    high.fma(scale, base).intoArray(dst, at + i + j + 16);
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 18) {
                    float d = LittleEndian.f16(src, o);
                    FloatVector scale = FloatVector.broadcast(F, d);
                    FloatVector base = FloatVector.broadcast(F, -8 * d);
                    IntVector q = Simd.unsignedBytes(src, o + 2 + part);
                    a = ((FloatVector) q.and(15).convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i), a);
                    a = ((FloatVector) q.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class Q4_1 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 20) {
                FloatVector scale = FloatVector.broadcast(F, LittleEndian.f16(src, o));
                FloatVector base = FloatVector.broadcast(F, LittleEndian.f16(src, o + 2));
                for (int j = 0; j < 16; j += L) {
                    IntVector q = Simd.unsignedBytes(src, o + 4 + j);
                    FloatVector low = (FloatVector) q.and(15).convert(VectorOperators.I2F, 0);
                    FloatVector high =
                            (FloatVector) q.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0);
                    low.fma(scale, base).intoArray(dst, at + i + j);
                    high.fma(scale, base).intoArray(dst, at + i + j + 16);
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 20) {
                    FloatVector scale = FloatVector.broadcast(F, LittleEndian.f16(src, o));
                    FloatVector base = FloatVector.broadcast(F, LittleEndian.f16(src, o + 2));
                    IntVector q = Simd.unsignedBytes(src, o + 4 + part);
                    a = ((FloatVector) q.and(15).convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i), a);
                    a = ((FloatVector) q.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class Q5_0 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 22) {
                float d = LittleEndian.f16(src, o);
                unpack5(src, o + 2, d, -16 * d, dst, at + i);
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 22) {
                    float d = LittleEndian.f16(src, o);
                    FloatVector scale = FloatVector.broadcast(F, d);
                    FloatVector base = FloatVector.broadcast(F, -16 * d);
                    IntVector q = Simd.unsignedBytes(src, o + 6 + part);
                    IntVector bits = IntVector.broadcast(I, src.get(LittleEndian.I32, o + 2) >>> part)
                            .lanewise(VectorOperators.LSHR, LANE);
                    IntVector low =
                            q.and(15).or(bits.lanewise(VectorOperators.LSHL, 4).and(16));
                    IntVector high = q.lanewise(VectorOperators.LSHR, 4)
                            .or(bits.lanewise(VectorOperators.LSHR, 12).and(16));
                    a = ((FloatVector) low.convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i), a);
                    a = ((FloatVector) high.convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class Q5_1 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 24) {
                unpack5(src, o + 4, LittleEndian.f16(src, o), LittleEndian.f16(src, o + 2), dst, at + i);
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 24) {
                    float d = LittleEndian.f16(src, o);
                    FloatVector scale = FloatVector.broadcast(F, d);
                    FloatVector base = FloatVector.broadcast(F, LittleEndian.f16(src, o + 2));
                    IntVector q = Simd.unsignedBytes(src, o + 8 + part);
                    IntVector bits = IntVector.broadcast(I, src.get(LittleEndian.I32, o + 4) >>> part)
                            .lanewise(VectorOperators.LSHR, LANE);
                    IntVector low =
                            q.and(15).or(bits.lanewise(VectorOperators.LSHL, 4).and(16));
                    IntVector high = q.lanewise(VectorOperators.LSHR, 4)
                            .or(bits.lanewise(VectorOperators.LSHR, 12).and(16));
                    a = ((FloatVector) low.convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i), a);
                    a = ((FloatVector) high.convert(VectorOperators.I2F, 0))
                            .fma(scale, base)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    private static final IntVector LANE = IntVector.zero(I).addIndex(1);

    /// One block whose fifth bits are a word at `o` and whose nibbles follow.
    private static void unpack5(MemorySegment src, long o, float d, float m, float[] dst, int at) {
        int fifth = src.get(LittleEndian.I32, o);
        FloatVector scale = FloatVector.broadcast(F, d);
        FloatVector base = FloatVector.broadcast(F, m);
        for (int j = 0; j < 16; j += L) {
            IntVector q = Simd.unsignedBytes(src, o + 4 + j);
            // Bit `j + lane` of the word in bit 0 of the lane, bit `j + lane + 16` in bit 16.
            IntVector bits = IntVector.broadcast(I, fifth >>> j).lanewise(VectorOperators.LSHR, LANE);
            IntVector low = q.and(15).or(bits.lanewise(VectorOperators.LSHL, 4).and(16));
            IntVector high = q.lanewise(VectorOperators.LSHR, 4)
                    .or(bits.lanewise(VectorOperators.LSHR, 12).and(16));
            ((FloatVector) low.convert(VectorOperators.I2F, 0)).fma(scale, base).intoArray(dst, at + j);
            ((FloatVector) high.convert(VectorOperators.I2F, 0))
                    .fma(scale, base)
                    .intoArray(dst, at + j + 16);
        }
    }

    static final class Q8_0 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 34) {
                // A number, not a vector: one that lives through the inner loop is boxed in some runs.
                float scale = LittleEndian.f16(src, o);
                for (int j = 0; j < 32; j += L) {
                    FloatVector q =
                            (FloatVector) Simd.signedBytes(src, o + 2 + j).convert(VectorOperators.I2F, 0);
                    q.mul(scale).intoArray(dst, at + i + j);
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 34) {
                    FloatVector scale = FloatVector.broadcast(F, LittleEndian.f16(src, o));
                    IntVector q = Simd.signedBytes(src, o + 2 + part);
                    IntVector r = Simd.signedBytes(src, o + 18 + part);
                    a = ((FloatVector) q.convert(VectorOperators.I2F, 0))
                            .mul(scale)
                            .fma(FloatVector.fromArray(F, x, at + i), a);
                    a = ((FloatVector) r.convert(VectorOperators.I2F, 0))
                            .mul(scale)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class MXFP4 implements WeightFormat {
        /// 2^(e - 128), made from its bits.
        private static float scale(int e) {
            return Float.intBitsToFloat(e < 2 ? 0x00200000 << e : (e - 1) << 23);
        }

        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 17) {
                FloatVector scale = FloatVector.broadcast(F, scale(LittleEndian.u8(src, o)));
                for (int j = 0; j < 16; j += L) {
                    IntVector q = Simd.unsignedBytes(src, o + 1 + j);
                    Simd.doubledE2m1(q).mul(scale).intoArray(dst, at + i + j);
                    Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 4))
                            .mul(scale)
                            .intoArray(dst, at + i + j + 16);
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 17) {
                    FloatVector scale = FloatVector.broadcast(F, scale(LittleEndian.u8(src, o)));
                    IntVector q = Simd.unsignedBytes(src, o + 1 + part);
                    a = Simd.doubledE2m1(q).mul(scale).fma(FloatVector.fromArray(F, x, at + i), a);
                    a = Simd.doubledE2m1(q.lanewise(VectorOperators.LSHR, 4))
                            .mul(scale)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }
}
