package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.quant.BlockDecoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// The plain path of types that have no kernels of their own: the core's decoder unpacks block after block, and the
/// floats are multiplied. For one token that is some ten times slower than kernels that unpack in registers.
final class DecodedFormat implements WeightFormat {
    /// The values of one block, for each thread.
    private static final ThreadLocal<float[]> BLOCK = ThreadLocal.withInitial(() -> new float[256]);

    private final BlockDecoder decoder;

    /// @param type with blocks of a multiple of 16 and at most 256 values
    DecodedFormat(QuantType type) {
        this.decoder = Quants.get(type);
    }

    @Override
    public void unpack(MemorySegment src, long offset, float[] dst, int at, int count) {
        decoder.decode(src, offset, dst, at, count);
    }

    @Override
    public void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s) {
        float[] block = BLOCK.get();
        int size = decoder.type().blockSize();
        long o = offset;
        Arrays.fill(sums, s, s + SUMS, 0);
        for (int i = 0; i < count; i += size, o += decoder.type().blockBytes()) {
            decoder.decode(src, o, block, 0, size);
            for (int part = 0; part < SUMS; part += L) {
                FloatVector a = FloatVector.fromArray(F, sums, s + part);
                for (int j = part; j < size; j += SUMS) {
                    a = FloatVector.fromArray(F, block, j).fma(FloatVector.fromArray(F, x, at + i + j), a);
                }
                a.intoArray(sums, s + part);
            }
        }
    }
}
