package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 110 bytes: eight groups of 32, each eight rows of [Grid#IQ3_S] with a 4-bit scale.
///
/// ```
/// byte 0    2        66      74          106         110
///      | d  | qs[64] | qh[8] | signs[32] | scales[4] |
/// ```
/// `d`: f16. The low 8 bits of the row number of values `4 r` to `4 r + 3` are `qs[r]`, the ninth is bit `r % 8` of
/// `qh[r / 8]`. The sign of value `i` is bit `i % 8` of `signs[i / 8]`. The scale `sc` of group `k` is a nibble of
/// `scales[k / 2]`, the low one for an even `k`. A value is `(d * (2 sc + 1)) * entry`.
final class IQ3_S implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.IQ3_S;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int k = 0; k < 8; k++) {
                float scale = d * (2 * Blocks.nibbleInOrder(src, block + 106, k) + 1);
                int ninth = LittleEndian.u8(src, block + 66 + k);
                int signs = src.get(LittleEndian.I32, block + 74 + 4 * k);
                for (int r = 0; r < 8; r++) {
                    Grid.IQ3_S.signed(
                            LittleEndian.u8(src, block + 2 + 8 * k + r) | (ninth >> r & 1) << 8,
                            scale,
                            signs >>> (4 * r),
                            dst,
                            dstOffset + b * 256 + 32 * k + 4 * r);
                }
            }
        }
    }
}
