package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 82 bytes: 32 rows of [Grid#IQ2_S], two of which share a 4-bit scale.
///
/// ```
/// byte 0    2        34          66      74         82
///      | d  | qs[32] | signs[32] | qh[8] | scales[8] |
/// ```
/// `d`: f16. The low 8 bits of the row number of values `8 r` to `8 r + 7` are `qs[r]`, the upper 2 bits
/// `2 (r % 4)` and `2 (r % 4) + 1` of `qh[r / 4]`; their signs are `signs[r]`. Scales as in [IQ2_XS]. A value is
/// `(d * (sc + 0.5) / 4) * entry`.
final class IQ2_S implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ2_S;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int r = 0; r < 32; r++) {
                int upper = LittleEndian.u8(src, block + 66 + r / 4) >> (2 * (r % 4)) & 3;
                float scale = d * (Blocks.nibbleInOrder(src, block + 74, r / 2) + 0.5f) * 0.25f;
                Grid.IQ2_S.signed(
                        LittleEndian.u8(src, block + 2 + r) | upper << 8,
                        scale,
                        LittleEndian.u8(src, block + 34 + r),
                        dst,
                        dstOffset + b * 256 + 8 * r);
            }
        }
    }
}
