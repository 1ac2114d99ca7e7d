package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 32 values in 18 bytes: 4-bit steps around zero with one scale.
///
/// ```
/// byte 0    2          18
///      | d  | qs[16]   |
/// ```
/// `d`: f16. Value `i` is `d * (nibble(i) - 8)`; the low nibble of `qs[i]` is value `i`, the high one value `i + 16`.
final class Q4_0 implements BlockDecoder, BlockEncoder {
    @Override
    public QuantType type() {
        return QuantType.Q4_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int i = 0; i < 32; i++) {
                dst[dstOffset + b * 32 + i] = d * (Blocks.nibble(src, block + 2, i) - 8);
            }
        }
    }

    /// `d = m / -8`, where `m` is the first of the values of largest magnitude, so that it is met exactly; the nibble
    /// is `x / d + 8.5` without its fraction, 15 at most: with `d` before it is rounded to f16.
    @Override
    public void encode(float[] src, int at, MemorySegment dst, long offset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            int from = at + b * 32;
            float m = 0;
            for (int i = from; i < from + 32; i++) {
                m = Float.isNaN(src[i]) || Math.abs(src[i]) > Math.abs(m) ? src[i] : m;
            }
            float d = m / -8;
            float inverse = d == 0 ? 0 : 1 / d;
            dst.set(LittleEndian.I16, block, Float.floatToFloat16(d));
            for (int i = 0; i < 16; i++) {
                int low = nibble(src[from + i] * inverse);
                int high = nibble(src[from + i + 16] * inverse);
                dst.set(LittleEndian.I8, block + 2 + i, (byte) (low | high << 4));
            }
        }
    }

    private static int nibble(float steps) {
        return Math.clamp((int) (steps + 8.5f), 0, 15);
    }
}
