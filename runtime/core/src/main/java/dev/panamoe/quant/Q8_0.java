package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// 32 values in 34 bytes: signed bytes with one scale.
///
/// ```
/// byte 0    2          34
///      | d  | qs[32]   |
/// ```
/// `d`: f16; `qs`: i8. Value `i` is `d * qs[i]`.
final class Q8_0 implements BlockDecoder, BlockEncoder {
    @Override
    public QuantType type() {
        return QuantType.Q8_0;
    }

    @Override
    public void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            float d = LittleEndian.f16(src, block);
            for (int i = 0; i < 32; i++) {
                dst[dstOffset + b * 32 + i] = d * src.get(LittleEndian.I8, block + 2 + i);
            }
        }
    }

    /// `d = max |x| / 127`, and `qs` the nearest to `x / d`, halves away from zero: with `d` before it is rounded to
    /// f16.
    @Override
    public void encode(float[] src, int at, MemorySegment dst, long offset, int count) {
        int blocks = Blocks.count(type(), count);
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * type().blockBytes();
            int from = at + b * 32;
            float largest = 0;
            for (int i = from; i < from + 32; i++) {
                largest = Math.max(largest, Math.abs(src[i]));
            }
            float d = largest / 127;
            float inverse = d == 0 ? 0 : 1 / d;
            dst.set(LittleEndian.I16, block, Float.floatToFloat16(d));
            for (int i = 0; i < 32; i++) {
                float x = src[from + i] * inverse;
                dst.set(LittleEndian.I8, block + 2 + i, (byte) (x < 0 ? -Math.round(-x) : Math.round(x)));
            }
        }
    }
}
