package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 98 bytes: eight groups of 32, each eight rows of [Grid#IQ3_XXS] with a 4-bit scale.
///
/// ```
/// byte 0    2        66         98
///      | d  | qs[64] | signs[8] |
/// ```
/// `d`: f16; `signs`: u32. `qs[r]` is the row number of values `4 r` to `4 r + 3`. Bits `7 l` to `7 l + 6` of
/// `signs[k]` are the signs of values `32 k + 8 l` to `32 k + 8 l + 7`, as [Grid#evenSigns] says; its four top bits are
/// the scale `sc` of group `k`. A value is `(d * (sc + 0.5) / 2) * entry`.
final class IQ3_XXS implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ3_XXS;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int k = 0; k < 8; k++) {
                int signs = src.get(LittleEndian.I32, block + 66 + 4 * k);
                float scale = d * ((signs >>> 28) + 0.5f) * 0.5f;
                for (int r = 0; r < 8; r++) {
                    Grid.IQ3_XXS.signed(
                            LittleEndian.u8(src, block + 2 + 8 * k + r),
                            scale,
                            Grid.evenSigns(signs >>> (7 * (r / 2)) & 127) >> (4 * (r % 2)),
                            dst,
                            dstOffset + b * 256 + 32 * k + 4 * r);
                }
            }
        }
    }
}
