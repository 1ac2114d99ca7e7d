package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// The types whose four bits stand for uneven steps. The low nibbles of sixteen bytes are values 0 to 15, the high
/// nibbles values 16 to 31.
final class NonLinearFormats {
    private NonLinearFormats() {}

    static final class IQ4_NL implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 32, o += 18) {
                unpack32(src, o + 2, LittleEndian.f16(src, o), dst, at + i);
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 32, o += 18) {
                    FloatVector scale = FloatVector.broadcast(F, LittleEndian.f16(src, o));
                    IntVector q = Simd.unsignedBytes(src, o + 2 + part);
                    a = Simd.nonLinear(q).mul(scale).fma(FloatVector.fromArray(F, x, at + i), a);
                    a = Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 4))
                            .mul(scale)
                            .fma(FloatVector.fromArray(F, x, at + i + 16), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    static final class IQ4_XS implements WeightFormat {
        /// The eight scales of a block, byte `k` being that of group `k`, too large by 32.
        private static long scales(MemorySegment src, long o) {
            int upper = LittleEndian.u16(src, o + 2);
            int lower = src.get(LittleEndian.I32, o + 4);
            long scales = 0;
            for (int k = 0; k < 8; k++) {
                scales |= (long) ((lower >>> (4 * k) & 15) | (upper >>> (2 * k) & 3) << 4) << (8 * k);
            }
            return scales;
        }

        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            long o = offset;
            for (int i = 0; i < count; i += 256, o += 136) {
                float d = LittleEndian.f16(src, o);
                long scales = scales(src, o);
                for (int k = 0; k < 8; k++) {
                    float scale = d * ((int) (scales >>> (8 * k) & 255) - 32);
                    unpack32(src, o + 8 + 16 * k, scale, dst, at + i + 32 * k);
                }
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                long o = offset;
                for (int i = part; i < count; i += 256, o += 136) {
                    float d = LittleEndian.f16(src, o);
                    long scales = scales(src, o);
                    for (int k = 0; k < 8; k++) {
                        int t = at + i + 32 * k;
                        FloatVector scale = FloatVector.broadcast(F, d * ((int) (scales >>> (8 * k) & 255) - 32));
                        IntVector q = Simd.unsignedBytes(src, o + 8 + 16 * k + part);
                        a = Simd.nonLinear(q).mul(scale).fma(FloatVector.fromArray(F, x, t), a);
                        a = Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 4))
                                .mul(scale)
                                .fma(FloatVector.fromArray(F, x, t + 16), a);
                    }
                }
                a.intoArray(sums, s + part);
            }
        }
    }

    /// 32 values whose nibbles are at `o`.
    private static void unpack32(MemorySegment src, long o, float d, float[] dst, int at) {
        FloatVector scale = FloatVector.broadcast(F, d);
        for (int j = 0; j < 16; j += L) {
            IntVector q = Simd.unsignedBytes(src, o + j);
            Simd.nonLinear(q).mul(scale).intoArray(dst, at + j);
            Simd.nonLinear(q.lanewise(VectorOperators.LSHR, 4)).mul(scale).intoArray(dst, at + j + 16);
        }
    }
}
