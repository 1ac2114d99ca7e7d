package dev.panamoe.cpu;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;

/// `docs/packed-weights.md` as plain loops: what every kernel set must give, bit for bit.
final class PackedOracle {
    private static final int[] E2M1 = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    private static final int[] STEPS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private PackedOracle() {}

    /// The product of row `row` of slice `slice` with the activations at `x[at]`.
    static float product(PackedWeight w, int slice, int row, float[] x, int at) {
        PackedType type = w.packed();
        long group = w.offset(slice, row / PackedType.ROWS);
        int r = row % PackedType.ROWS;
        if (type.floatActivations()) {
            float[] c = new float[4];
            for (int k = 0; k < w.cols(); k++) {
                long o = group + k * 32L + 2 * r;
                float v = type == PackedType.F16
                        ? LittleEndian.f16(w.data(), o)
                        : Float.intBitsToFloat(w.data().get(LittleEndian.I16, o) << 16);
                c[k % 4] = Math.fma(v, x[at + k], c[k % 4]);
            }
            return (c[0] + c[2]) + (c[1] + c[3]);
        }
        float c = 0;
        for (int block = 0; block < type.units(w.cols()) * type.unitCols() / 32; block++) {
            int count = Math.min(32, w.cols() - 32 * block);
            if (count <= 0) {
                break;
            }
            int[] a = new int[32];
            float d = quantize(x, at + 32 * block, count, a);
            int unit = block / (type.unitCols() / 32);
            int inUnit = block % (type.unitCols() / 32);
            long u = group + (long) unit * type.unitBytes();
            int low = 0;
            int high = 0;
            int sum = 0;
            for (int k = 0; k < 32; k++) {
                int product = q(w, u, inUnit, r, k) * a[k];
                sum += a[k];
                if (k < 16) {
                    low += product;
                } else {
                    high += product;
                }
            }
            switch (type) {
                case Q4_K, Q5_K -> {
                    float scale =
                            LittleEndian.f16(w.data(), u + 2 * r) * LittleEndian.u8(w.data(), u + 64 + 16 * inUnit + r);
                    float min = LittleEndian.f16(w.data(), u + 32 + 2 * r)
                            * LittleEndian.u8(w.data(), u + 192 + 16 * inUnit + r);
                    c = Math.fma((low + high) * d, scale, c);
                    c = Math.fma(-min, d * sum, c);
                }
                case Q6_K -> {
                    float d0 = LittleEndian.f16(w.data(), u + 2 * r);
                    long scales = u + 64 + 32 * inUnit + r;
                    c = Math.fma(low * d, d0 * w.data().get(LittleEndian.I8, scales), c);
                    c = Math.fma(high * d, d0 * w.data().get(LittleEndian.I8, scales + 16), c);
                }
                case MXFP4 -> {
                    int e = LittleEndian.u8(w.data(), u + 16 * inUnit + r);
                    c = Math.fma((low + high) * d, Float.intBitsToFloat(e << 23) * 0.5f, c);
                }
                default -> c = Math.fma((low + high) * d, LittleEndian.f16(w.data(), u + 32 * inUnit + 2 * r), c);
            }
        }
        return c;
    }

    /// Column `k` of a block of 32 as a signed whole number.
    private static int q(PackedWeight w, long unit, int block, int r, int k) {
        MemorySegment s = w.data();
        return switch (w.packed()) {
            case Q4_0 -> nibble(s, unit + 64 + 256 * block, r, k) - 8;
            case IQ4_NL -> STEPS[nibble(s, unit + 64 + 256 * block, r, k)];
            case MXFP4 -> E2M1[nibble(s, unit + 32 + 256 * block, r, k)];
            case Q5_0 -> fiveBits(s, unit + 64 + 320 * block, r, k) - 16;
            case Q8_0 -> LittleEndian.u8(s, unit + 64 + 512 * block + 64 * (k / 4) + 4 * r + k % 4) - 128;
            case Q4_K -> nibble(s, unit + 320 + 256 * block, r, k);
            case Q5_K -> fiveBits(s, unit + 320 + 320 * block, r, k);
            case Q6_K -> {
                long plane = unit + 320 + 384 * block;
                int step = k / 4;
                int upper = LittleEndian.u8(s, plane + 256 + 64 * (step / 4) + 4 * r + k % 4) >> (2 * (step % 4)) & 3;
                yield (nibble(s, plane, r, k) | upper << 4) - 32;
            }
            case F16, BF16 -> throw new IllegalArgumentException();
        };
    }

    private static int nibble(MemorySegment s, long plane, int r, int k) {
        return LittleEndian.u8(s, plane + 64 * (k / 8) + 4 * r + k % 4) >> (k % 8 / 4 * 4) & 15;
    }

    private static int fiveBits(MemorySegment s, long plane, int r, int k) {
        int fifth = LittleEndian.u8(s, plane + 256 + 4 * r + k % 4) >> (k / 4) & 1;
        return nibble(s, plane, r, k) | fifth << 4;
    }

    /// Fills `a` with the 8-bit values of a block and returns its scale.
    static float quantize(float[] x, int at, int count, int[] a) {
        float max = 0;
        for (int i = 0; i < count; i++) {
            max = Math.max(max, Math.abs(x[at + i]));
        }
        float inverse = max == 0 ? 0 : 127 / max;
        for (int i = 0; i < count; i++) {
            a[i] = (int) Math.clamp(Math.rint(x[at + i] * inverse), -127, 127);
        }
        return max / 127;
    }
}
