package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// bfloat16, the upper 16 bits of an IEEE single: one value, 2 bytes.
final class BF16 implements BlockDecoder {
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
}
