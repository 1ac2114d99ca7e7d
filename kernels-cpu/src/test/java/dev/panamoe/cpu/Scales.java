package dev.panamoe.cpu;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// Makes random blocks ordinary ones: scales that are subnormal, infinite or NaN would be slow or hide everything.
final class Scales {
    private Scales() {}

    /// Gives the block at `o` the scale `d`, and that of minima too where the type has one; to types without blocks the
    /// value `d`. The other bits of the block stay. MXFP4 and NVFP4 have scales of their own kind and get 1/256 and
    /// 1/8.
    static void set(QuantType type, MemorySegment s, long o, float d) {
        switch (type) {
            case F32 -> s.set(LittleEndian.F32, o, d);
            case BF16 -> s.set(LittleEndian.I16, o, (short) (Float.floatToIntBits(d) >> 16));
            case MXFP4 -> s.set(LittleEndian.I8, o, (byte) 120);
            case NVFP4 -> s.set(LittleEndian.I32, o, 0x20202020);
            case Q4_1, Q5_1, Q4_K, Q5_K -> {
                half(s, o, d);
                half(s, o + 2, d);
            }
            case Q2_K -> {
                half(s, o + 80, d);
                half(s, o + 82, d);
            }
            case Q3_K -> half(s, o + 108, d);
            case Q6_K -> half(s, o + 208, d);
            case TQ1_0 -> half(s, o + 52, d);
            case TQ2_0 -> half(s, o + 64, d);
            case IQ1_M -> {
                // The half is spread over the top nibbles of four words.
                int bits = Float.floatToFloat16(d);
                for (int k = 0; k < 4; k++) {
                    long at = o + 49 + 2 * k;
                    s.set(LittleEndian.I8, at, (byte) ((LittleEndian.u8(s, at) & 15) | (bits >> (4 * k) & 15) << 4));
                }
            }
            default -> half(s, o, d);
        }
    }

    private static void half(MemorySegment s, long o, float value) {
        s.set(LittleEndian.I16, o, Float.floatToFloat16(value));
    }
}
