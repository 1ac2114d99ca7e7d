package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// IEEE single: one value, 4 bytes.
final class F32 implements BlockDecoder, BlockEncoder {
    @Override
    public QuantType type() {
        return QuantType.F32;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int values = Blocks.count(type(), count);
        for (int i = 0; i < values; i++) {
            dst[dstOffset + i] = src.get(LittleEndian.F32, offset + 4L * i);
        }
    }

    @Override
    public void encode(float[] src, int at, MemorySegment dst, long offset, int count) {
        MemorySegment.copy(src, at, dst, LittleEndian.F32, offset, Blocks.count(type(), count));
    }
}
