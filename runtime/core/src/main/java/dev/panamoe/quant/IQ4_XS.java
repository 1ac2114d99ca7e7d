package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 136 bytes: eight groups of 32 as in [IQ4_NL], each with a 6-bit scale.
///
/// ```
/// byte 0    2          4             8          136
///      | d  | scales_h | scales_l[4] | qs[128]  |
/// ```
/// `d`: f16; `scales_h`: u16. The low 4 bits of the scale of group `k` are a nibble of `scales_l[k / 2]`, the low one
/// for an even `k`; its upper 2 bits are bits `2 k` and `2 k + 1` of `scales_h`. Value `l` of group `k` is
/// `(d * (sc[k] - 32)) * STEPS[nibble(l)]`, each product rounded to float32; the low nibble of `qs[16 k + l]` is value
/// `l`, the high one value `l + 16`.
final class IQ4_XS implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ4_XS;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            int upper = LittleEndian.u16(src, block + 2);
            for (int k = 0; k < 8; k++) {
                int low = Blocks.nibbleInOrder(src, block + 4, k);
                float scale = d * ((low | (upper >> (2 * k) & 3) << 4) - 32);
                for (int l = 0; l < 32; l++) {
                    dst[dstOffset + b * 256 + k * 32 + l] =
                            scale * IQ4_NL.STEPS[Blocks.nibble(src, block + 8 + 16 * k, l)];
                }
            }
        }
    }
}
