package dev.panamoe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.panamoe.engine.Parity.Result;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
import org.junit.jupiter.api.Test;

/// Which logits count as the reference's.
class ParityTest {
    private static final float[] ROW = {1, -1, 1, -1};

    /// A row of logits whose root mean square is 1 around their mean of 10, all of them wrong by `error`.
    private static Result compare(float... errors) {
        float[][] right = new float[errors.length][4];
        float[][] tested = new float[errors.length][4];
        for (int t = 0; t < errors.length; t++) {
            for (int i = 0; i < 4; i++) {
                right[t][i] = 10 + ROW[i];
                tested[t][i] = right[t][i] + errors[t];
            }
        }
        return Parity.compare(tested, right, 0.02);
    }

    @Test
    void theErrorIsRelativeToTheSpreadOfTheLogits() {
        assertThat(compare(0.01f).difference()).isCloseTo(0.01, within(1e-5));
        assertThat(compare(0.01f).isSound()).isTrue();
        assertThat(compare(0.03f).isSound()).isFalse();
    }

    @Test
    void aFewRowsMayBeFarApartButNotMost() {
        assertThat(compare(0.001f, 3, 0.001f, 0.001f).isSound()).isTrue();
        assertThat(compare(0.001f, 3, 3, 0.001f).isSound()).isFalse();
        assertThat(compare(3, 3, 0.001f).isSound()).isFalse();
    }

    @Test
    void logitsThatAreNoNumbersAreNeverSound() {
        assertThat(compare(0, Float.NaN, 0, 0).isSound()).isFalse();
        assertThat(compare(0, Float.POSITIVE_INFINITY, 0, 0).isSound()).isFalse();
    }

    @Test
    void logitsThatAreAllTheSameAgreeWithThemselvesOnly() {
        float[][] flat = {{2, 2}};
        assertThat(Parity.compare(flat, flat, 0.02).isSound()).isTrue();
        assertThat(Parity.compare(new float[][] {{2, 3}}, flat, 0.02).isSound()).isFalse();
    }

    @Test
    void theBoundFollowsTheArithmetic() {
        assertThat(Parity.bound(Arithmetic.F32, CacheType.F32)).isLessThan(Parity.bound(Arithmetic.F32, CacheType.F16));
        assertThat(Parity.bound(Arithmetic.F32, CacheType.F16))
                .isLessThan(Parity.bound(Arithmetic.INT8, CacheType.F32));
        // Leaving out an ingredient of a model changes its logits by their own size.
        assertThat(Parity.bound(Arithmetic.INT8, CacheType.Q4_0)).isLessThan(0.2);
    }
}
