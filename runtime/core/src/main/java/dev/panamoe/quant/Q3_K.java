package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 110 bytes: sixteen groups of 16, each with a 6-bit scale.
///
/// ```
/// byte 0           32        96           108  110
///      | hmask[32] | qs[64]  | scales[12] | d  |
/// ```
/// `d`: f16. With `i = 128 h + 32 j + l`: the low 2 bits of `q` are bits `2 j` and `2 j + 1` of `qs[32 h + l]`, the
/// third one is bit `4 h + j` of `hmask[l]`. The low 4 bits of the scale of group `k = i / 16` are a nibble of
/// `scales[k % 8]`, the low one for `k < 8`; its upper 2 bits are bits `2 (k / 4)` and `2 (k / 4) + 1` of
/// `scales[8 + k % 4]`. Value `i` is `(d * (sc[k] - 32)) * (q - 4)`, each product rounded to float32.
final class Q3_K implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q3_K;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block + 108);
            for (int i = 0; i < 256; i++) {
                int third = (LittleEndian.u8(src, block + i % 32) >> (i / 32)) & 1;
                int q = Blocks.twoBits(src, block + 32, i) | third << 2;
                dst[dstOffset + b * 256 + i] = d * (scale(src, block + 96, i / 16) - 32) * (q - 4);
            }
        }
    }

    private static int scale(MemorySegment s, long scales, int k) {
        int low = (LittleEndian.u8(s, scales + k % 8) >> (k / 8 * 4)) & 15;
        int high = (LittleEndian.u8(s, scales + 8 + k % 4) >> (k / 4 * 2)) & 3;
        return low | high << 4;
    }
}
