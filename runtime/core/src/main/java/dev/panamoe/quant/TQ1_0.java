package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 256 values in 54 bytes: -1, 0 or 1 times one scale, five of them in a byte.
///
/// ```
/// byte 0         48      52   54
///      | qs[48]  | qh[4] | d  |
/// ```
/// `d`: f16. A byte is a fraction of 256 whose digits in base 3 are values plus one: digit `n` of byte `v` is
/// `((v * 3^n) % 256 * 3) / 256`. Values 0 to 159 are the digits of `qs[0..31]`, first all digits 0, then all digits 1
/// and so on; values 160 to 239 likewise those of `qs[32..47]`; values 240 to 255 the first four digits of `qh`. Value
/// `i` is `d * (digit - 1)`.
final class TQ1_0 implements BlockDecoder {
    @Override
    public QuantType type() {
        return QuantType.TQ1_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block + 52);
            int at = dstOffset + b * 256;
            digits(src, block, 32, 5, d, dst, at);
            digits(src, block + 32, 16, 5, d, dst, at + 160);
            digits(src, block + 48, 4, 4, d, dst, at + 240);
        }
    }

    private static void digits(MemorySegment s, long o, int bytes, int digits, float d, float[] dst, int at) {
        for (int i = 0; i < bytes; i++) {
            int rest = LittleEndian.u8(s, o + i);
            for (int n = 0; n < digits; n++) {
                rest *= 3;
                dst[at + n * bytes + i] = d * ((rest >> 8) - 1);
                rest &= 255;
            }
        }
    }
}
