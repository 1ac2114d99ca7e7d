package dev.panamoe.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EncodersTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");

    /// Fixtures hold the same weights as F32 and as an independent implementation has quantised them.
    @ParameterizedTest
    @CsvSource({
        "gemma4-moe, model.gguf, model-q8_0.gguf",
        "gemma4-moe, model.gguf, model-q4_0.gguf",
        "deepseek-v3, model-mla-f32.gguf, model-mla-q8_0.gguf",
        "deepseek-v3, model-mla-f32.gguf, model-mla-q4_0.gguf"
    })
    void encodesAsAnIndependentImplementation(String folder, String exact, String quantised) {
        int compared = 0;
        try (GgufFile from = GgufFile.open(FIXTURES.resolve(folder).resolve(exact));
                GgufFile to = GgufFile.open(FIXTURES.resolve(folder).resolve(quantised))) {
            for (TensorView want : to.tensors().values()) {
                TensorView source = Objects.requireNonNull(from.tensors().get(want.name()));
                if (want.type() == QuantType.Q8_0 || want.type() == QuantType.Q4_0) {
                    MemorySegment got =
                            MemorySegment.ofArray(new byte[(int) want.data().byteSize()]);
                    float[] values = decode(
                            source.type(), source.data(), (int) source.shape().size());
                    Quants.encoder(want.type()).encode(values, 0, got, 0, values.length);
                    assertThat(got.mismatch(want.data())).as(want.name()).isEqualTo(-1);
                    compared++;
                }
            }
        }
        assertThat(compared).isGreaterThan(30);
    }

    @Test
    void roundsToTheNearestBf16() {
        // Between 1 and its neighbour 1.0078125: below the middle, the middle (even: down), above; then a tie going up.
        float[] x = {1.0039f, 0x1.01p0f, 1.0039064f, 0x1.03p0f, 3.4e38f, -0f, 1e-40f, Float.POSITIVE_INFINITY};
        assertThat(roundTrip(QuantType.BF16, x))
                .containsExactly(
                        1f,
                        1f,
                        1.0078125f,
                        1.015625f,
                        Float.POSITIVE_INFINITY,
                        -0f,
                        Float.intBitsToFloat(1 << 16),
                        Float.POSITIVE_INFINITY);
    }

    /// The largest magnitude is 127 steps, halves go away from zero.
    @Test
    void roundsToStepsOfQ8_0() {
        float[] x = new float[32];
        x[3] = -254;
        x[4] = 3;
        x[5] = -3;
        x[6] = 2.9f;
        float[] y = roundTrip(QuantType.Q8_0, x);
        assertThat(Arrays.copyOf(y, 8)).containsExactly(0f, 0f, 0f, -254f, 4f, -4f, 2f, 0f);
    }

    /// The first of the largest magnitudes is met exactly, whatever its sign; the other side reaches seven eighths.
    @Test
    void roundsToStepsOfQ4_0() {
        float[] x = new float[32];
        x[0] = 8;
        x[17] = -8;
        x[20] = 2.5f;
        x[21] = -2.5f;
        float[] y = roundTrip(QuantType.Q4_0, x);
        assertThat(new float[] {y[0], y[17], y[20], y[21]}).containsExactly(8f, -7f, 2f, -3f);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void errorsAreAtMostHalfAStep(QuantType type) {
        float[] x = new float[320];
        Random random = new Random(4);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian() * (1 + i / 32);
        }
        float[] y = roundTrip(type, x);
        for (int block = 0; block < x.length; block += 32) {
            float largest = 0;
            for (int i = block; i < block + 32; i++) {
                largest = Math.max(largest, Math.abs(x[i]));
            }
            for (int i = block; i < block + 32; i++) {
                // Half a step, or a whole one on the shorter side of Q4_0; and the rounding of the scale.
                double bound = switch (type) {
                    case F32 -> 0;
                    case F16 -> Math.abs(x[i]) / 2048 + 1e-7;
                    case BF16 -> Math.abs(x[i]) / 256;
                    case Q8_0 -> largest * (0.5 / 127 + 1.0 / 2048);
                    default -> largest * (1.0 / 8 + 1.0 / 2048);
                };
                assertThat((double) Math.abs(y[i] - x[i])).isLessThanOrEqualTo(bound);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void keepsZerosTinyValuesAndNaN(QuantType type) {
        for (float y : roundTrip(type, new float[32])) {
            assertThat(Math.abs(y)).isZero();
        }
        float[] tiny = new float[32];
        Arrays.fill(tiny, Float.MIN_VALUE);
        for (float y : roundTrip(type, tiny)) {
            assertThat(Math.abs(y)).isBetween(0f, Float.MIN_VALUE);
        }
        float[] broken = new float[32];
        Arrays.fill(broken, 1);
        broken[7] = Float.NaN;
        assertThat(roundTrip(type, broken)[7]).isNaN();
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void encodesAtAnyOffsetAndWritesNothingElse(QuantType type) {
        float[] x = new float[70];
        for (int i = 0; i < x.length; i++) {
            x[i] = i - 20;
        }
        int bytes = (int) type.rowBytes(64);
        MemorySegment to = MemorySegment.ofArray(new byte[bytes + 8]).fill((byte) 0x55);
        Quants.encoder(type).encode(x, 3, to, 5, 64);
        MemorySegment alone = MemorySegment.ofArray(new byte[bytes]);
        Quants.encoder(type).encode(Arrays.copyOfRange(x, 3, 67), 0, alone, 0, 64);
        assertThat(to.asSlice(5, bytes).mismatch(alone)).isEqualTo(-1);
        for (int i : new int[] {0, 4, bytes + 5, bytes + 7}) {
            assertThat(to.get(LittleEndian.I8, i)).isEqualTo((byte) 0x55);
        }
    }

    @Test
    void refusesPartsOfBlocksAndTypesWithoutEncoder() {
        MemorySegment to = MemorySegment.ofArray(new byte[100]);
        assertThatThrownBy(() -> Quants.encoder(QuantType.Q8_0).encode(new float[48], 0, to, 0, 48))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("48 values");
        assertThatThrownBy(() -> Quants.encoder(QuantType.Q6_K))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Q6_K");
    }

    private static float[] roundTrip(QuantType type, float[] x) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[(int) type.rowBytes(x.length)]);
        Quants.encoder(type).encode(x, 0, bytes, 0, x.length);
        return decode(type, bytes, x.length);
    }

    private static float[] decode(QuantType type, MemorySegment bytes, int count) {
        float[] out = new float[count];
        Quants.get(type).decode(bytes, 0, out, 0, count);
        return out;
    }
}
