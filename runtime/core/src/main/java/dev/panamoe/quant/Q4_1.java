package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 32 values in 20 bytes: 4-bit steps up from a minimum.
///
/// ```
/// byte 0    2    4          20
///      | d  | m  | qs[16]   |
/// ```
/// `d`, `m`: f16. Value `i` is `d * nibble(i) + m`; the low nibble of `qs[i]` is value `i`, the high one value
/// `i + 16`. The product is rounded to float32 before the sum.
final class Q4_1 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q4_1;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            float m = LittleEndian.f16(src, block + 2);
            for (int i = 0; i < 32; i++) {
                dst[dstOffset + b * 32 + i] = d * Blocks.nibble(src, block + 4, i) + m;
            }
        }
    }
}
