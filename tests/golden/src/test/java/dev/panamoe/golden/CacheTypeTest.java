package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Device;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What storing keys and values with fewer bits costs: logits of fixtures beside those of an F32 cache.
class CacheTypeTest {
    /// Of the difference, relative to the root mean square of the logits: about twice what the worst fixture has. The
    /// fixtures' weights are random, so that experts change places sooner than in a trained model.
    private static final Map<CacheType, Double> TOLERANCE = new EnumMap<>(
            Map.of(CacheType.F16, 0.002, CacheType.BF16, 0.02, CacheType.Q8_0, 0.15, CacheType.Q4_0, 0.8));

    static Stream<Arguments> cases() {
        return Backends.with(f -> f.name().endsWith("/f32"));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("cases")
    void logitsStayNear(String backend, Fixture fixture) {
        int[] tokens = fixture.sequence(0);
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = GoldenTest.open(backend);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, tokens.length)) {
            float[] exact = logits(runner, tokens, CacheType.F32);
            double worst = 0;
            for (CacheType type : TOLERANCE.keySet()) {
                double error = relativeRms(logits(runner, tokens, type), exact);
                // Each type loses more than the one before it.
                assertThat(error).as("rms error of %s", type).isBetween(2 * worst, TOLERANCE.get(type));
                worst = error;
            }
            assertThat(worst).isPositive();
        }
    }

    private static float[] logits(Runner runner, int[] tokens, CacheType type) {
        float[] logits = new float[tokens.length * runner.model().spec().vocabulary()];
        try (Caches caches = runner.model().newCaches(tokens.length, tokens.length, type)) {
            runner.forward(caches, tokens, 0, tokens.length, 0, Tap.NONE);
            runner.logits(0, tokens.length, logits, 0, Tap.NONE);
        }
        return logits;
    }

    private static double relativeRms(float[] got, float[] want) {
        double squares = 0;
        double scale = 0;
        for (int i = 0; i < want.length; i++) {
            squares += ((double) got[i] - want[i]) * (got[i] - want[i]);
            scale += (double) want[i] * want[i];
        }
        return Math.sqrt(squares / scale);
    }
}
