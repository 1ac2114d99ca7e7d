package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 66 bytes: -1, 0 or 1 times one scale, four of them in a byte.
///
/// ```
/// byte 0         64   66
///      | qs[64]  | d  |
/// ```
/// `d`: f16. With `i = 128 h + 32 j + l`: `q` is bits `2 j` and `2 j + 1` of `qs[32 h + l]`. Value `i` is
/// `d * (q - 1)`.
final class TQ2_0 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.TQ2_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block + 64);
            for (int i = 0; i < 256; i++) {
                dst[dstOffset + b * 256 + i] = d * (Blocks.twoBits(src, block, i) - 1);
            }
        }
    }
}
