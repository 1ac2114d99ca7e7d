package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 32 values in 17 bytes: 4-bit floats (E2M1) with one power of two as scale, the OCP Microscaling format.
///
/// ```
/// byte 0    1          17
///      | e  | qs[16]   |
/// ```
/// `e`: u8. Value `i` is `2^(e - 128) * DOUBLED[nibble(i)]`: the table holds twice the E2M1 values so that it is whole,
/// hence 128 and not 127. `e` 0 and 1 give subnormal scales; 255 has no special meaning. The low nibble of `qs[i]` is
/// value `i`, the high one value `i + 16`.
final class MXFP4 implements BlockDecoder {
    static final int[] DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

    @Override
    public QuantType type() {
        return QuantType.MXFP4;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float scale = scale(LittleEndian.u8(src, block));
            for (int i = 0; i < 32; i++) {
                dst[dstOffset + b * 32 + i] = scale * DOUBLED[Blocks.nibble(src, block + 1, i)];
            }
        }
    }

    /// 2^(e - 128), made from its bits.
    private static float scale(int e) {
        return Float.intBitsToFloat(e < 2 ? 0x00200000 << e : (e - 1) << 23);
    }
}
