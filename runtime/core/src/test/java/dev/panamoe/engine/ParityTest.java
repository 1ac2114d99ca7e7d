package dev.panamoe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.panamoe.engine.Parity.Result;
import dev.panamoe.engine.Parity.Worst;
import dev.panamoe.spi.Arithmetic;
import org.junit.jupiter.api.Test;

/// How large a difference of intermediates is, and which is too large. Backends right and wrong are in `tests/bench`.
class ParityTest {
    private static final float[] ROW = {10, -10, 10, -10};

    /// A token for each error: four values of size 10, all of them wrong by it.
    private static Worst compare(float... errors) {
        float[] right = new float[4 * errors.length];
        float[] tested = new float[4 * errors.length];
        for (int i = 0; i < right.length; i++) {
            right[i] = ROW[i % 4];
            tested[i] = right[i] + errors[i / 4];
        }
        Worst worst = new Worst();
        worst.add("attn_out of layer 3", 5, errors.length, tested, right);
        return worst;
    }

    private static boolean isSound(double difference) {
        return new Result(difference, "", Parity.bound(Arithmetic.F32)).isSound();
    }

    @Test
    void theErrorIsRelativeToTheSizeOfTheValues() {
        assertThat(compare(0.1f).difference).isCloseTo(0.01, within(1e-6));
        assertThat(compare(0).difference).isZero();
        assertThat(isSound(compare(0.009f).difference)).isTrue();
        assertThat(isSound(compare(0.011f).difference)).isFalse();
    }

    @Test
    void oneWrongTokenIsEnough() {
        Worst worst = compare(0, 0.1f, 3, 0.1f, 0, 0);
        assertThat(worst.difference).isCloseTo(0.3, within(1e-6));
        assertThat(worst.where).isEqualTo("attn_out of layer 3, token 7");
    }

    @Test
    void whatIsNoNumberIsNeverSound() {
        assertThat(isSound(compare(0, Float.NaN, 0).difference)).isFalse();
        assertThat(isSound(compare(0, Float.POSITIVE_INFINITY, 0).difference)).isFalse();
        Worst worst = compare(Float.NaN);
        worst.add("l_out of layer 4", 0, 1, new float[] {3}, new float[] {1});
        assertThat(worst.where).isEqualTo("attn_out of layer 3, token 5");
    }

    @Test
    void zerosAgreeWithZerosOnly() {
        Worst worst = new Worst();
        worst.add("a", 0, 1, new float[] {0}, new float[] {0});
        assertThat(isSound(worst.difference)).isTrue();
        worst.add("b", 0, 1, new float[] {1e-9f}, new float[] {0});
        assertThat(isSound(worst.difference)).isFalse();
    }

    /// Of 8 bits: over a step of 127, and far below what a missing ingredient does.
    @Test
    void theBoundFollowsTheArithmetic() {
        assertThat(Parity.bound(Arithmetic.F32)).isLessThan(Parity.bound(Arithmetic.INT8));
        assertThat(Parity.bound(Arithmetic.INT8)).isBetween(1 / 127.0, 0.02);
    }
}
