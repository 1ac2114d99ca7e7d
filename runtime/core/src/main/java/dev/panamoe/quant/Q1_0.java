package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 128 values in 18 bytes: signs with one scale.
///
/// ```
/// byte 0    2          18
///      | d  | bits[16] |
/// ```
/// `d`: f16. Value `i` is `d` when bit `i % 8` of `bits[i / 8]` is set, else `-d`.
///
/// Read from the specification only: no other program's values were at hand to compare with.
final class Q1_0 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q1_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int i = 0; i < 128; i++) {
                int bit = LittleEndian.u8(src, block + 2 + i / 8) >> (i % 8) & 1;
                dst[dstOffset + b * 128 + i] = d * (2 * bit - 1);
            }
        }
    }
}
