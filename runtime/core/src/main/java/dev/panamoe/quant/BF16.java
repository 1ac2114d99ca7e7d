package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// bfloat16, the upper 16 bits of an IEEE single: one value, 2 bytes.
final class BF16 implements BlockDecoder, BlockEncoder {
    @Override
    public QuantType type() {
        return QuantType.BF16;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int values = Blocks.count(type(), count);
        for (int i = 0; i < values; i++) {
            dst[dstOffset + i] = LittleEndian.bf16(src, offset + 2L * i);
        }
    }

    /// Rounds to nearest, ties to even; what is too large becomes infinite.
    @Override
    public void encode(float[] src, int at, MemorySegment dst, long offset, int count) {
        int values = Blocks.count(type(), count);
        for (int i = 0; i < values; i++) {
            dst.set(LittleEndian.I16, offset + 2L * i, (short) (upperHalf(Float.floatToRawIntBits(src[at + i])) >> 16));
        }
    }

    private static int upperHalf(int bits) {
        // Rounding must not carry a NaN into infinity: it is made a quiet one instead.
        return (bits & 0x7fffffff) > 0x7f800000 ? bits | 0x400000 : bits + 0x7fff + ((bits >> 16) & 1);
    }
}
