package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 50 bytes: eight groups of 32, each four rows of [Grid#IQ1] with a 3-bit scale and a shift.
///
/// ```
/// byte 0    2        34      50
///      | d  | qs[32] | qh[8] |
/// ```
/// `d`: f16; `qh`: u16. The low 8 bits of the row number of values `32 k + 8 l` to `32 k + 8 l + 7` are `qs[4 k + l]`,
/// the upper 3 bits `3 l` to `3 l + 2` of `qh[k]`; bits 12 to 14 of `qh[k]` are the scale `sc`, and its top bit says
/// whether the shift is -0.125 or 0.125. A value is `(d * (2 sc + 1)) * (entry + shift)`.
final class IQ1_S implements BlockDecoder {
    static final float SHIFT = 0.125f;

    @Override
    public QuantType type() {
        return QuantType.IQ1_S;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int r = 0; r < 32; r++) {
                int qh = LittleEndian.u16(src, block + 34 + 2 * (r / 4));
                int upper = qh >> (3 * (r % 4)) & 7;
                Grid.IQ1.shifted(
                        LittleEndian.u8(src, block + 2 + r) | upper << 8,
                        d * (2 * (qh >> 12 & 7) + 1),
                        qh >> 15 == 0 ? SHIFT : -SHIFT,
                        dst,
                        dstOffset + b * 256 + 8 * r);
            }
        }
    }
}
