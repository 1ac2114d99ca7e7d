package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 84 bytes: sixteen groups of 16, each with a 4-bit scale and a 4-bit minimum.
///
/// ```
/// byte 0            16        80   82     84
///      | scales[16] | qs[64]  | d  | dmin |
/// ```
/// `d`, `dmin`: f16. With `i = 128 h + 32 j + l`: `q` is bits `2 j` and `2 j + 1` of `qs[32 h + l]`; the low nibble of
/// `scales[i / 16]` is the scale `sc`, the high one the minimum `m`. Value `i` is `(d * sc) * q - (dmin * m)`, each
/// product rounded to float32.
final class Q2_K implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.Q2_K;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block + 80);
            float dmin = LittleEndian.f16(src, block + 82);
            for (int i = 0; i < 256; i++) {
                int scales = LittleEndian.u8(src, block + i / 16);
                int q = Blocks.twoBits(src, block + 16, i);
                dst[dstOffset + b * 256 + i] = d * (scales & 15) * q - dmin * (scales >> 4);
            }
        }
    }
}
