package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 74 bytes: 32 rows of [Grid#IQ2_XS], two of which share a 4-bit scale.
///
/// ```
/// byte 0    2        66         74
///      | d  | qs[32] | scales[8] |
/// ```
/// `d`: f16; `qs`: u16. The low 9 bits of `qs[r]` are the row number of values `8 r` to `8 r + 7`, the upper 7 their
/// signs, as [Grid#evenSigns] says. The scale `sc` of rows `4 k` and `4 k + 1` is the low nibble of `scales[k]`, that
/// of the next two rows the high one. A value is `(d * (sc + 0.5) / 4) * entry`.
final class IQ2_XS implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ2_XS;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int r = 0; r < 32; r++) {
                int q = LittleEndian.u16(src, block + 2 + 2 * r);
                float scale = d * (Blocks.nibbleInOrder(src, block + 66, r / 2) + 0.5f) * 0.25f;
                Grid.IQ2_XS.signed(q & 511, scale, Grid.evenSigns(q >> 9), dst, dstOffset + b * 256 + 8 * r);
            }
        }
    }
}
