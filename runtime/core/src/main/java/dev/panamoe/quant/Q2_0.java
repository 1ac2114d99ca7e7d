package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 64 values in 18 bytes: -1, 0, 1 or 2 times one scale.
///
/// ```
/// byte 0    2          18
///      | d  | qs[16]   |
/// ```
/// `d`: f16. Value `i` is `d * (q - 1)`, where `q` is bits `2 (i % 4)` and `2 (i % 4) + 1` of `qs[i / 4]`.
///
/// Read from the specification only: no other program's values were at hand to compare with.
final class Q2_0 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q2_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int i = 0; i < 64; i++) {
                int q = LittleEndian.u8(src, block + 2 + i / 4) >> (2 * (i % 4)) & 3;
                dst[dstOffset + b * 64 + i] = d * (q - 1);
            }
        }
    }
}
