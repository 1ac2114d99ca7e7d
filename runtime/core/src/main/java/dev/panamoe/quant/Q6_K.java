package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 210 bytes: sixteen groups of 16, each with an 8-bit scale.
///
/// ```
/// byte 0          128       192           208  210
///      | ql[128]  | qh[64]  | scales[16]  | d  |
/// ```
/// `d`: f16; `scales`: i8. With `i = 128 h + 32 j + l`: the low 4 bits are a nibble of `ql[64 h + 32 (j % 2) + l]`, the
/// low one for `j < 2` and else the high one; the upper 2 bits are bits `2 j` and `2 j + 1` of `qh[32 h + l]`. Value
/// `i` is `(d * scales[i / 16]) * (q - 32)`, each product rounded to float32.
final class Q6_K implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q6_K;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block + 208);
            for (int i = 0; i < 256; i++) {
                int h = i / 128;
                int j = i / 32 % 4;
                int l = i % 32;
                int low = (LittleEndian.u8(src, block + 64 * h + 32 * (j % 2) + l) >> (j / 2 * 4)) & 15;
                int q = low | ((LittleEndian.u8(src, block + 128 + 32 * h + l) >> (2 * j)) & 3) << 4;
                dst[dstOffset + b * 256 + i] = d * src.get(LittleEndian.I8, block + 192 + i / 16) * (q - 32);
            }
        }
    }
}
