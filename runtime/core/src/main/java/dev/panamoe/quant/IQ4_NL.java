package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 32 values in 18 bytes: 4-bit steps that are finer near zero, with one scale.
///
/// ```
/// byte 0    2          18
///      | d  | qs[16]   |
/// ```
/// `d`: f16. Value `i` is `d * STEPS[nibble(i)]`; the low nibble of `qs[i]` is value `i`, the high one value `i + 16`.
final class IQ4_NL implements BlockDecoder {
    static final int[] STEPS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    @Override
    public QuantType type() {
        return QuantType.IQ4_NL;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int i = 0; i < 32; i++) {
                dst[dstOffset + b * 32 + i] = d * STEPS[Blocks.nibble(src, block + 2, i)];
            }
        }
    }
}
