package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 32 values in 22 bytes: 5-bit steps around zero with one scale.
///
/// ```
/// byte 0    2    6          22
///      | d  | qh | qs[16]   |
/// ```
/// `d`: f16; `qh`: u32 with the fifth bit of value `i` in bit `i`. Value `i` is
/// `d * ((nibble(i) | fifth(i) << 4) - 16)`; the low nibble of `qs[i]` is value `i`, the high one value `i + 16`.
final class Q5_0 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q5_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            int qh = src.get(LittleEndian.I32, block + 2);
            for (int i = 0; i < 32; i++) {
                int q = Blocks.nibble(src, block + 6, i) | ((qh >>> i) & 1) << 4;
                dst[dstOffset + b * 32 + i] = d * (q - 16);
            }
        }
    }
}
