package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.quant.Quants;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WeightFormatTest {
    static Iterable<QuantType> types() {
        return WeightFormat.TYPES.keySet();
    }

    @Test
    void noTypeThatTheCoreDecodesIsLeftOut() {
        assertThat(WeightFormat.TYPES.keySet()).containsExactlyInAnyOrderElementsOf(Quants.supported());
    }

    /// Any bits at all, so scales are subnormal, infinite and NaN too.
    @ParameterizedTest
    @MethodSource("types")
    void unpacksAsTheDecoderOfTheType(QuantType type) {
        WeightFormat format = WeightFormat.of(type);
        int n = type.blockSize() == 1 ? 333 : 2 * type.blockSize();
        float[] expected = new float[n];
        float[] actual = new float[n + 2];
        try (Arena arena = Arena.ofConfined()) {
            for (int seed = 0; seed < 60; seed++) {
                MemorySegment data = randomRow(arena, type, n, seed);
                Quants.get(type).decode(data, 0, expected, 0, n);
                actual[0] = actual[n + 1] = 42;
                format.unpack(data, 0, actual, 1, n);
                for (int i = 0; i < n; i++) {
                    // NaN halves become infinite; signs of zero may differ.
                    boolean same = actual[i + 1] == expected[i]
                            || (Float.isNaN(expected[i]) && !Float.isFinite(actual[i + 1]));
                    assertThat(same)
                            .as("%s value %d of seed %d is %s, not %s", type, i, seed, actual[i + 1], expected[i])
                            .isTrue();
                }
                assertThat(actual[0]).isEqualTo(42);
                assertThat(actual[n + 1]).isEqualTo(42);
            }
        }
    }

    /// Both ways of multiplying meet in the same sixteen partial sums.
    @ParameterizedTest
    @MethodSource("types")
    void multipliesAsUnpacked(QuantType type) {
        WeightFormat format = WeightFormat.of(type);
        int n = type.blockSize() == 1 ? 333 : 3 * type.blockSize();
        float[] unpacked = new float[n];
        float[] x = new float[n + 3];
        float[] one = new float[16];
        float[] other = new float[16];
        try (Arena arena = Arena.ofConfined()) {
            for (int seed = 0; seed < 20; seed++) {
                Random random = new Random(seed);
                for (int i = 0; i < x.length; i++) {
                    x[i] = (float) random.nextGaussian();
                }
                MemorySegment data = randomRow(arena, type, n, seed);
                format.dot(data, 0, x, 3, n, one, 0);
                format.unpack(data, 0, unpacked, 0, n);
                int whole = n & -16;
                // Four rows that are all the same one.
                float[] sums = new float[64];
                Tile.dot4x1(unpacked, 0, 0, x, 3, whole, sums, 0, true);
                Tile.tail4x1(unpacked, whole, 0, x, 3 + whole, n - whole, sums, 0);
                System.arraycopy(sums, 32, other, 0, 16);
                assertThat(one).as("%s seed %d", type, seed).isEqualTo(other);
            }
        }
    }

    private static MemorySegment randomRow(Arena arena, QuantType type, int n, int seed) {
        byte[] bytes = new byte[(int) type.rowBytes(n)];
        new Random(seed).nextBytes(bytes);
        return arena.allocate(bytes.length + 1).asSlice(1).copyFrom(MemorySegment.ofArray(bytes));
    }
}
