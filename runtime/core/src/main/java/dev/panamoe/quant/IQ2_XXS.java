package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 66 bytes: eight groups of 32, each four rows of [Grid#IQ2_XXS] with a 4-bit scale.
///
/// ```
/// byte 0    2        10       ...   66
///      | d  | group0 | group1 | ... |
/// ```
/// `d`: f16. A group is two u32. Byte `l` of the first is the row number of values `8 l` to `8 l + 7`; bits `7 l` to
/// `7 l + 6` of the second are their signs, as [Grid#evenSigns] says; its four top bits are the scale `sc`. A value is
/// `(d * (sc + 0.5) / 4) * entry`.
final class IQ2_XXS implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ2_XXS;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int k = 0; k < 8; k++) {
                int rows = src.get(LittleEndian.I32, block + 2 + 8 * k);
                int signs = src.get(LittleEndian.I32, block + 6 + 8 * k);
                float scale = d * ((signs >>> 28) + 0.5f) * 0.25f;
                for (int l = 0; l < 4; l++) {
                    Grid.IQ2_XXS.signed(
                            rows >>> (8 * l) & 255,
                            scale,
                            Grid.evenSigns(signs >>> (7 * l) & 127),
                            dst,
                            dstOffset + b * 256 + 32 * k + 8 * l);
                }
            }
        }
    }
}
