package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The Vector API's products are those of {@link PackedOracle}, bit for bit.
class VectorKernelsTest {
    private final VectorKernels kernels = new VectorKernels();
    private final Scratch scratch = new Scratch();

    @ParameterizedTest
    @EnumSource(PackedType.class)
    void isTheOracleBitForBit(PackedType type) {
        Random random = new Random(type.unitBytes());
        try (Arena arena = Arena.ofConfined()) {
            for (int cols : new int[] {32, 64, 96, 256, 544}) {
                for (int rows : new int[] {1, 16, 23, 49}) {
                    PackedWeight w = weight(arena, type, cols, rows, 2, random);
                    for (int tokens : new int[] {1, 2, 3, 4, 5, 8, 11, 16}) {
                        check(w, tokens, activations(random, cols * tokens + 3));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PackedType.class)
    void extremeActivations(PackedType type) {
        Random random = new Random(type.unitBytes());
        try (Arena arena = Arena.ofConfined()) {
            int cols = 512;
            PackedWeight w = weight(arena, type, cols, 32, 1, random);
            for (float size : new float[] {0, Float.MIN_VALUE, 1e-42f, 3e-37f, 1e-30f, 1, 1e25f, 1e30f}) {
                float[] x = activations(random, cols * 6 + 3);
                for (int i = 0; i < x.length; i++) {
                    x[i] *= size;
                }
                check(w, 1, x);
                check(w, 6, x);
                Arrays.fill(x, size);
                check(w, 1, x);
                check(w, 6, x);
                Arrays.fill(x, -size);
                check(w, 1, x);
                check(w, 6, x);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PackedType.class)
    void extremeWeights(PackedType type) {
        Random random = new Random(type.unitBytes());
        try (Arena arena = Arena.ofConfined()) {
            int cols = 256;
            PackedWeight w = weight(arena, type, cols, 32, 1, random);
            float[] x = new float[cols * 6 + 3];
            for (int pattern : new int[] {0, 0xff, 0x7f, 0x80, 0x0f, 0xf0}) {
                for (float d : new float[] {0, 1, -65504, 0x1p-24f, Float.POSITIVE_INFINITY}) {
                    w.data().fill((byte) pattern);
                    scale(w, () -> d);
                    for (float size : new float[] {1, -1, 1e-30f}) {
                        Arrays.fill(x, size);
                        check(w, 1, x);
                        check(w, 6, x);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PackedType.class)
    void copiesAreWhatWasSet(PackedType type) {
        Random random = new Random(5);
        int cols = 288;
        int tokens = 17;
        float[] x = activations(random, cols * tokens + 3);
        Panel single = kernels.newPanel();
        single.reset(type, cols, tokens);
        for (int t = 0; t < tokens; t++) {
            single.set(t, 1, 0, x, 3 + t * cols);
        }
        Panel panel = kernels.newPanel();
        panel.reset(type, cols, tokens);
        for (int t = 0; t < tokens; t++) {
            int first = t & -Panel.TILE;
            panel.copy(first, Math.min(Panel.TILE, tokens - first), t - first, single, t);
        }
        try (Arena arena = Arena.ofConfined()) {
            multiply(weight(arena, type, cols, 20, 1, random), 0, panel, tokens, x);
        }
    }

    private void check(PackedWeight w, int tokens, float[] x) {
        Panel panel = kernels.newPanel();
        panel.reset(w.packed(), w.cols(), tokens);
        fill(panel, tokens, w.cols(), x);
        multiply(w, w.slices() - 1, panel, tokens, x);
    }

    private static void fill(Panel panel, int tokens, int cols, float[] x) {
        for (int t = tokens - 1; t >= 0; t--) {
            int first = t & -Panel.TILE;
            panel.set(first, Math.min(Panel.TILE, tokens - first), t - first, x, 3 + t * cols);
        }
    }

    /// Multiplies in calls of one to three groups and compares all results, and what must not be written.
    private void multiply(PackedWeight w, int slice, Panel panel, int tokens, float[] x) {
        int stride = w.rows() + 5;
        float[] y = new float[tokens * stride];
        Arrays.fill(y, 77);
        int[] yAt = new int[tokens + 1];
        for (int t = 0; t < tokens; t++) {
            yAt[t + 1] = t * stride;
        }
        int step = 1;
        for (int g = 0; g < w.groups(); g += step, step = step % 3 + 1) {
            for (int first = 0; first < tokens; first += Panel.TILE) {
                int count = Math.min(Panel.TILE, tokens - first);
                int groups = Math.min(step, w.groups() - g);
                kernels.matmul(w, slice, g, groups, panel, first, count, y, yAt, 1 + first, scratch);
            }
        }
        for (int t = 0; t < tokens; t++) {
            for (int row = 0; row < stride; row++) {
                float expected = row < w.rows() ? PackedOracle.product(w, slice, row, x, 3 + t * w.cols()) : 77;
                assertThat(Float.floatToIntBits(y[t * stride + row]))
                        .as(
                                "%s (%d, %d), token %d of %d, row %d: %s for %s",
                                w.packed(), w.rows(), w.cols(), t, tokens, row, y[t * stride + row], expected)
                        .isEqualTo(Float.floatToIntBits(expected));
            }
        }
    }

    static float[] activations(Random random, int n) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        // Some blocks of zeros, and some where one value is far larger than the others.
        if (n > 96) {
            Arrays.fill(x, 40, 90, 0);
            x[n / 2] = 1000;
        }
        return x;
    }

    /// Random packed bytes with scales of an ordinary size.
    static PackedWeight weight(Arena arena, PackedType type, int cols, int rows, int slices, Random random) {
        long bytes = slices * type.sliceBytes(rows, cols);
        byte[] content = new byte[(int) bytes];
        random.nextBytes(content);
        MemorySegment data = arena.allocate(bytes, 64).copyFrom(MemorySegment.ofArray(content));
        PackedWeight w = new PackedWeight("w", type, Shape.of(cols, rows, slices), data, cols, rows, slices);
        scale(w, () -> (float) random.nextGaussian() / 64);
        return w;
    }

    /// Sets all scales; those of MXFP4 to powers of two, float weights themselves.
    private static void scale(PackedWeight w, Supplier<Float> scale) {
        PackedType type = w.packed();
        long slice = type.sliceBytes(w.rows(), w.cols());
        for (int s = 0; s < w.slices(); s++) {
            for (long unit = s * slice; unit + type.unitBytes() <= (s + 1) * slice; unit += type.unitBytes()) {
                int halves = type.floatActivations() ? 64 : type == PackedType.Q6_K ? 16 : 32;
                for (int i = 0; i < halves; i++) {
                    float d = scale.get();
                    if (type == PackedType.MXFP4) {
                        w.data().set(LittleEndian.I8, unit + i, (byte) (Float.floatToIntBits(d) >> 23));
                    } else if (type == PackedType.BF16) {
                        w.data().set(LittleEndian.I16, unit + 2 * i, (short) (Float.floatToIntBits(d) >> 16));
                    } else {
                        w.data().set(LittleEndian.I16, unit + 2 * i, Float.floatToFloat16(d));
                    }
                }
            }
        }
    }
}
