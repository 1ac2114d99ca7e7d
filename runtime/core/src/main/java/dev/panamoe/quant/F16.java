package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// IEEE half, subnormals included: one value, 2 bytes.
final class F16 implements BlockDecoder, BlockEncoder {
    @Override
    public QuantType type() {
        return QuantType.F16;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int values = Blocks.count(type(), count);
        for (int i = 0; i < values; i++) {
            dst[dstOffset + i] = LittleEndian.f16(src, offset + 2L * i);
        }
    }

    /// Rounds to nearest, ties to even; what is too large becomes infinite.
    @Override
    public void encode(float[] src, int at, MemorySegment dst, long offset, int count) {
        int values = Blocks.count(type(), count);
        for (int i = 0; i < values; i++) {
            dst.set(LittleEndian.I16, offset + 2L * i, Float.floatToFloat16(src[at + i]));
        }
    }
}
