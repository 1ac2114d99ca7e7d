package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 56 bytes: 32 rows of [Grid#IQ1], each with a shift; two rows share a 3-bit scale.
///
/// ```
/// byte 0        32       48        56
///      | qs[32] | qh[16] | scales[4] |
/// ```
/// `scales`: u16. A nibble `h` of `qh[r / 2]`, the low one for an even `r`, belongs to values `8 r` to `8 r + 7`: its
/// low 3 bits above `qs[r]` are their row number, its top bit says whether the shift is -0.125 or 0.125. The scale `sc`
/// of rows `2 g` and `2 g + 1` is bits `3 (g % 4)` to `3 (g % 4) + 2` of `scales[g / 4]`. The top nibbles of the four
/// scales, that of `scales[0]` lowest, are the bits of `d`, an f16. A value is `(d * (2 sc + 1)) * (entry + shift)`.
final class IQ1_M implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ1_M;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = scale(src, block + 48);
            for (int r = 0; r < 32; r++) {
                int h = Blocks.nibbleInOrder(src, block + 32, r);
                int sc = LittleEndian.u16(src, block + 48 + 2 * (r / 8)) >> (3 * (r / 2 % 4)) & 7;
                Grid.IQ1.shifted(
                        LittleEndian.u8(src, block + r) | (h & 7) << 8,
                        d * (2 * sc + 1),
                        h >> 3 == 0 ? IQ1_S.SHIFT : -IQ1_S.SHIFT,
                        dst,
                        dstOffset + b * 256 + 8 * r);
            }
        }
    }

    private static float scale(MemorySegment s, long scales) {
        int bits = 0;
        for (int k = 0; k < 4; k++) {
            bits |= LittleEndian.u16(s, scales + 2 * k) >> 12 << (4 * k);
        }
        return Float.float16ToFloat((short) bits);
    }
}
