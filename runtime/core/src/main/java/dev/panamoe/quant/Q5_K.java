package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 176 bytes: eight groups of 32, each with a 6-bit scale and a 6-bit minimum.
///
/// ```
/// byte 0    2      4             16        48          176
///      | d  | dmin | scales[12]  | qh[32]  | qs[128]   |
/// ```
/// As [Q4_K], with a fifth bit of value `i`: bit `i / 32` of `qh[i % 32]`. Value `i` of group `k = i / 32` is
/// `(d * sc[k]) * q - (dmin * m[k])`, each product rounded to float32.
final class Q5_K implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q5_K;
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
                    int low = (LittleEndian.u8(src, block + 48 + k / 2 * 32 + l) >> (k % 2 * 4)) & 15;
                    int q = low | ((LittleEndian.u8(src, block + 16 + l) >> k) & 1) << 4;
                    dst[dstOffset + b * 256 + k * 32 + l] = scale * q - min;
                }
            }
        }
    }
}
