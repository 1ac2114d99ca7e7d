package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 64 values in 36 bytes: 4-bit floats (E2M1) in four groups of 16, each with an 8-bit float (E4M3) as scale.
///
/// ```
/// byte 0          4         36
///      | scale[4] | qs[32]  |
/// ```
/// Group `k` has the eight bytes `qs[8 k ...]`: the low nibble of byte `l` is its value `l`, the high one its value
/// `l + 8`. Value `l` is `scale[k] / 2 * DOUBLED[nibble]`, with the table of [MXFP4]. The sign bit of a scale is
/// ignored; 0x7f, the NaN of E4M3, counts as zero.
///
/// A tensor of this type has a factor for all its values in another tensor, `NAME.scale`, which is not applied here.
final class NVFP4 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.NVFP4;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            for (int k = 0; k < 4; k++) {
                float scale = halfScale(LittleEndian.u8(src, block + k));
                for (int l = 0; l < 16; l++) {
                    int q = LittleEndian.u8(src, block + 4 + 8 * k + l % 8) >> (l / 8 * 4) & 15;
                    dst[dstOffset + b * 64 + k * 16 + l] = scale * MXFP4.DOUBLED[q];
                }
            }
        }
    }

    /// Half the value of an E4M3 float: exponent in bits 3 to 6, biased by 7, then three bits of mantissa.
    private static float halfScale(int bits) {
        if (bits == 0x7f) {
            return 0;
        }
        int exponent = bits >> 3 & 15;
        int mantissa = bits & 7;
        return exponent == 0 ? mantissa * 0x1p-10f : (8 + mantissa) * Math.scalb(1f, exponent - 11);
    }
}
