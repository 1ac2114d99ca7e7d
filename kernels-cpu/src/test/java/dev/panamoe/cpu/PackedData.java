package dev.panamoe.cpu;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/// Random packed weights, without a file and a packer.
final class PackedData {
    private PackedData() {}

    /// @param wild scales of any finite bits, subnormal and huge ones among them, rather than ordinary ones
    static PackedWeight weight(
            Arena arena, PackedType type, int cols, int rows, int slices, boolean wild, Random random) {
        byte[] bytes = new byte[(int) (slices * type.sliceBytes(rows, cols))];
        random.nextBytes(bytes);
        MemorySegment data = arena.allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
        PackedWeight w = new PackedWeight("test", type, Shape.of(cols, rows, slices), data, cols, rows, slices);
        for (int s = 0; s < slices; s++) {
            for (int g = 0; g < w.groups(); g++) {
                for (int u = 0; u < type.units(cols); u++) {
                    scales(type, data, w.offset(s, g) + (long) u * type.unitBytes(), wild, random);
                }
            }
        }
        return w;
    }

    private static void scales(PackedType type, MemorySegment data, long unit, boolean wild, Random random) {
        switch (type) {
            case MXFP4 -> {
                for (int i = 0; i < 32; i++) {
                    data.set(LittleEndian.I8, unit + i, (byte) (wild ? random.nextInt(255) : 120 + i % 8));
                }
            }
            case BF16 -> {
                for (int i = 0; i < 64; i++) {
                    float value = (float) random.nextGaussian();
                    int bits = wild ? (random.nextInt() & 0x9fffffff) | 0x20000000 : Float.floatToIntBits(value);
                    data.set(LittleEndian.I16, unit + 2 * i, (short) (bits >> 16));
                }
            }
            case Q6_K -> halves(data, unit, 16, wild, random);
            case F16 -> halves(data, unit, 64, wild, random);
            default -> halves(data, unit, 32, wild, random);
        }
    }

    private static void halves(MemorySegment data, long at, int count, boolean wild, Random random) {
        for (int i = 0; i < count; i++) {
            int bits = wild
                    ? random.nextInt(0x7c00) | (random.nextInt(2) << 15)
                    : Float.floatToFloat16((float) random.nextGaussian() / 16);
            data.set(LittleEndian.I16, at + 2 * i, (short) bits);
        }
    }

    static float[] activations(int count, boolean wild, Random random) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) random.nextGaussian();
            if (wild) {
                x[i] *= Math.scalb(1f, i / 32 % 2 == 0 ? random.nextInt(-140, 0) : random.nextInt(-20, 100));
                // Blocks of zeros, ties, and one value that leaves the others nothing.
                x[i] = switch (i / 32 % 7) {
                    case 0 -> 0;
                    case 1 -> random.nextInt(-127, 128) / 2f;
                    case 2 -> i % 32 == 3 ? -1e30f : x[i];
                    case 3 -> i % 32 == 0 ? Float.MIN_VALUE : 0;
                    default -> x[i];
                };
            }
        }
        return x;
    }
}
