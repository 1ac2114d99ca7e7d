package dev.panamoe.conformance;

import dev.panamoe.quant.Quants;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/// Random weights: any bits where the format allows any, scales of a sensible size. They lie at an odd address, as in
/// a file they may.
final class Weights {
    private Weights() {}

    static TensorView random(QuantType type, Shape shape, long seed) {
        return random(type, shape, seed, 0);
    }

    /// @param gap bytes between slices; they hold ones, so that a format's scales are NaN there
    static TensorView random(QuantType type, Shape shape, long seed, int gap) {
        Random random = new Random(seed);
        long rowBytes = type.rowBytes(shape.cols());
        long sliceBytes = rowBytes * shape.rows();
        long bytes = (shape.slices() - 1) * (sliceBytes + gap) + sliceBytes;
        MemorySegment data = Arena.ofAuto().allocate(bytes + 1, 64).asSlice(1);
        data.fill((byte) 0xff);
        byte[] slice = new byte[(int) sliceBytes];
        for (long e = 0; e < shape.slices(); e++) {
            random.nextBytes(slice);
            MemorySegment to = data.asSlice(e * (sliceBytes + gap), sliceBytes);
            to.copyFrom(MemorySegment.ofArray(slice));
            for (long o = 0; o < sliceBytes; o += type.blockBytes()) {
                scales(type, to, o, random);
            }
        }
        return new TensorView("test." + type, type, shape, data, sliceBytes + gap);
    }

    /// Makes the scales of a block finite, values about 0.1 to 1.
    private static void scales(QuantType type, MemorySegment block, long o, Random random) {
        float small = (random.nextFloat() - 0.5f) * 0.05f;
        float base = (random.nextFloat() - 0.5f) * 0.5f;
        switch (type) {
            case F32 -> block.set(LittleEndian.F32, o, (float) random.nextGaussian() * 0.3f);
            case F16 -> half(block, o, (float) random.nextGaussian() * 0.3f);
            case BF16 ->
                block.set(LittleEndian.I16, o, (short)
                        (Float.floatToIntBits((float) random.nextGaussian() * 0.3f) >> 16));
            case Q4_0, Q5_0 -> half(block, o, small);
            case Q4_1, Q5_1 -> {
                half(block, o, small);
                half(block, o + 2, base);
            }
            case Q8_0 -> half(block, o, small / 16);
            case Q4_K, Q5_K -> {
                half(block, o, small / 32);
                half(block, o + 2, small / 16);
            }
            case Q6_K -> half(block, o + 208, small / 64);
            case Q2_K -> {
                half(block, o + 80, small / 2);
                half(block, o + 82, small);
            }
            case Q3_K -> half(block, o + 108, small / 8);
            case IQ4_NL, IQ2_XXS, IQ2_XS, IQ2_S -> half(block, o, small / 8);
            case IQ3_XXS, IQ3_S -> half(block, o, small / 16);
            case IQ4_XS -> half(block, o, small / 128);
            case IQ1_S -> half(block, o, small);
            case IQ1_M -> {
                // The half is spread over the top nibbles of four words.
                int bits = Float.floatToFloat16(small);
                for (int k = 0; k < 4; k++) {
                    long at = o + 49 + 2 * k;
                    block.set(LittleEndian.I8, at, (byte)
                            ((LittleEndian.u8(block, at) & 15) | (bits >> (4 * k) & 15) << 4));
                }
            }
            case Q1_0, Q2_0 -> half(block, o, base);
            case TQ1_0 -> half(block, o + 52, base);
            case TQ2_0 -> half(block, o + 64, base);
            case MXFP4 -> block.set(LittleEndian.I8, o, (byte) (120 + random.nextInt(6)));
            case NVFP4 -> {
                for (int k = 0; k < 4; k++) {
                    block.set(LittleEndian.I8, o + k, (byte) (0x18 + random.nextInt(16)));
                }
            }
            default -> throw new IllegalArgumentException("no random weights of type " + type);
        }
    }

    private static void half(MemorySegment s, long o, float value) {
        s.set(LittleEndian.I16, o, Float.floatToFloat16(value));
    }

    /// A vector of F32.
    static TensorView vector(float... values) {
        MemorySegment data = Arena.ofAuto().allocate(values.length * 4L);
        MemorySegment.copy(values, 0, data, LittleEndian.F32, 0, values.length);
        return new TensorView("test.vector", QuantType.F32, Shape.of(values.length), data);
    }

    /// Rows of F32.
    static TensorView matrix(Matrix m) {
        return new TensorView(
                "test.matrix",
                QuantType.F32,
                Shape.of(m.cols(), m.rows()),
                vector(m.values()).data());
    }

    /// Row `row` of slice `slice`, decoded.
    static float[] row(TensorView w, int slice, long row) {
        float[] out = new float[(int) w.shape().cols()];
        Quants.get(w.type()).decode(w.data(), w.sliceStart(slice) + row * w.rowBytes(), out, 0, out.length);
        if (!w.sliceScales().isEmpty()) {
            for (int c = 0; c < out.length; c++) {
                out[c] *= w.sliceScales().get(slice);
            }
        }
        return out;
    }
}
