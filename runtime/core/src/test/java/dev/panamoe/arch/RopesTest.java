package dev.panamoe.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// DeepSeek's published numbers: base 10000, factor 40, 4096 positions, 64 rotated values.
class RopesTest {
    private static final float[] PLAIN = Ropes.plain(64, 10_000f);
    private static final float[] YARN = Ropes.yarn(64, 10_000f, 40f, 4096, 32f, 1f, true);

    @Test
    void plainFrequenciesFallGeometrically() {
        assertThat(PLAIN).hasSize(32);
        assertThat(PLAIN[0]).isEqualTo(1f);
        assertThat(PLAIN[16]).isCloseTo(0.01f, within(1e-8f));
    }

    @Test
    void yarnKeepsFastPairsDividesSlowOnesAndRampsBetween() {
        for (int i = 0; i <= 10; i++) {
            assertThat(YARN[i]).as("pair %d", i).isEqualTo(PLAIN[i]);
        }
        for (int i = 23; i < 32; i++) {
            assertThat(YARN[i] / PLAIN[i]).as("pair %d", i).isCloseTo(1 / 40f, within(1e-7f));
        }
        float half = 6.5f / 13;
        assertThat((YARN[16] + YARN[17]) / (PLAIN[16] + PLAIN[17]))
                .as("the middle of the ramp")
                .isBetween(half / 40, 1 - half + 0.1f);
        for (int i = 11; i < 23; i++) {
            double divided = (i - 10) / 13.0;
            assertThat((double) YARN[i]).isCloseTo(PLAIN[i] * (divided / 40 + 1 - divided), within(1e-9));
        }
    }

    @Test
    void magnitudeGivesTheSoftmaxScale() {
        double m = Ropes.yarnMagnitude(40, 1);
        assertThat(m * m / Math.sqrt(192)).isCloseTo(0.13523378, within(1e-8));
        double lite = Ropes.yarnMagnitude(40, 0.707);
        assertThat(lite * lite / Math.sqrt(192)).isCloseTo(0.11472139, within(1e-8));
    }
}
