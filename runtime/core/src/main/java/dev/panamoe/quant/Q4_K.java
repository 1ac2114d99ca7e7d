package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 144 bytes: eight groups of 32, each with a 6-bit scale and a 6-bit minimum.
///
/// ```
/// byte 0    2      4             16          144
///      | d  | dmin | scales[12]  | qs[128]   |
/// ```
/// `d`, `dmin`: f16; `scales`: scale `sc` and minimum `m` of the eight groups, packed as [Blocks#scale] says. Two
/// groups share 32 bytes of `qs`: the even one has the low nibbles, the odd one the high nibbles. Value `i` of group
/// `k = i / 32` is `(d * sc[k]) * q - (dmin * m[k])`, each product rounded to float32.
final class Q4_K implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q4_K;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            float dmin = LittleEndian.f16(src, block + 2);
            for (int k = 0; k < 8; k++) {
                float scale = d * Blocks.scale(src, block + 4, k);
                float min = dmin * Blocks.min(src, block + 4, k);
                for (int l = 0; l < 32; l++) {
                    int q = (LittleEndian.u8(src, block + 16 + k / 2 * 32 + l) >> (k % 2 * 4)) & 15;
                    dst[dstOffset + b * 256 + k * 32 + l] = scale * q - min;
                }
            }
        }
    }
}
