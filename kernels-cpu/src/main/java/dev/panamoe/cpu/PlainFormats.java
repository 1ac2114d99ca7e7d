package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// The types without blocks; their rows may have any length.
final class PlainFormats {
    private PlainFormats() {}

    static final class F32 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            MemorySegment.copy(src, LittleEndian.F32, offset, dst, at, count);
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            int whole = count & -SUMS;
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                for (int i = part; i < whole; i += SUMS) {
                    a = Simd.floats(src, offset + 4L * i).fma(FloatVector.fromArray(F, x, at + i), a);
                }
                a.intoArray(sums, s + part);
            }
            for (int i = whole; i < count; i++) {
                int o = s + i - whole;
                sums[o] = Math.fma(src.get(LittleEndian.F32, offset + 4L * i), x[at + i], sums[o]);
            }
        }
    }

    static final class F16 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            int whole = count & -L;
            for (int i = 0; i < whole; i += L) {
                Simd.halves(Simd.shorts(src, offset + 2L * i)).intoArray(dst, at + i);
            }
            for (int i = whole; i < count; i++) {
                dst[at + i] = LittleEndian.f16(src, offset + 2L * i);
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            int whole = count & -SUMS;
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                for (int i = part; i < whole; i += SUMS) {
                    a = Simd.halves(Simd.shorts(src, offset + 2L * i)).fma(FloatVector.fromArray(F, x, at + i), a);
                }
                a.intoArray(sums, s + part);
            }
            for (int i = whole; i < count; i++) {
                int o = s + i - whole;
                sums[o] = Math.fma(LittleEndian.f16(src, offset + 2L * i), x[at + i], sums[o]);
            }
        }
    }

    static final class BF16 implements WeightFormat {
        @Override
        public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
            int whole = count & -L;
            for (int i = 0; i < whole; i += L) {
                Simd.shorts(src, offset + 2L * i)
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .intoArray(dst, at + i);
            }
            for (int i = whole; i < count; i++) {
                dst[at + i] = LittleEndian.bf16(src, offset + 2L * i);
            }
        }

        @Override
        public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
            int whole = count & -SUMS;
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.zero(F);
                for (int i = part; i < whole; i += SUMS) {
                    a = Simd.shorts(src, offset + 2L * i)
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(FloatVector.fromArray(F, x, at + i), a);
                }
                a.intoArray(sums, s + part);
            }
            for (int i = whole; i < count; i++) {
                int o = s + i - whole;
                sums[o] = Math.fma(LittleEndian.bf16(src, offset + 2L * i), x[at + i], sums[o]);
            }
        }
    }
}
