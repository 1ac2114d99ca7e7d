package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every fixture on every usable backend against the independent implementation: logits of prompt and decode rows, the
/// greedy continuation and hidden states. The tolerances are those of float32 activations with F32 caches.
class GoldenTest {
    private static final int MAX_ROWS = 16;

    static Stream<Arguments> fixtures() {
        return BackendProvider.all().stream()
                .flatMap(p -> Fixture.all().stream().map(f -> Arguments.of(p.name(), f)));
    }

    static Device open(String backend) {
        BackendProvider provider = BackendProvider.all().stream()
                .filter(p -> p.name().equals(backend))
                .findFirst()
                .orElseThrow();
        Probe.Usable usable = (Probe.Usable) provider.probe();
        return provider.open(usable.devices().getFirst(), DeviceOptions.DEFAULT);
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("fixtures")
    void logitsAndGreedyTokens(String backend, Fixture fixture) {
        boolean gemma = fixture.name().startsWith("gemma4");
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = open(backend);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, MAX_ROWS)) {
            Deviation error = new Deviation();
            for (int i = 0; i < fixture.prompts().size(); i++) {
                float[] logits = teacherForced(runner, fixture, i);
                error.add(logits, fixture.logits().get(i));
                assertThat(greedy(logits, fixture, i))
                        .as("greedy continuation of prompt %d", i)
                        .isEqualTo(fixture.greedy().get(i));
            }
            assertThat(error.max).as("largest error").isLessThanOrEqualTo(gemma ? 3e-3 : 1e-3);
            assertThat(error.rms()).as("rms error").isLessThanOrEqualTo(gemma ? 3e-4 : 1e-4);
        }
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("fixturesWithHiddenStates")
    void hiddenStates(String backend, Fixture fixture) {
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = open(backend);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, 64);
                Caches caches = model.newCaches(128, 64, CacheType.F32)) {
            int[] prompt = fixture.prompts().getFirst();
            int d = model.spec().embedding();
            List<float[]> states = new ArrayList<>();
            Tap tap = (name, layer, rows) -> {
                if (name.equals("inp_embd") || name.equals("l_out") || name.equals("result_norm")) {
                    float[] state = new float[prompt.length * d];
                    device.read(rows, state, 0);
                    states.add(state);
                }
            };
            runner.forward(caches, prompt, 0, prompt.length, 0, tap);
            float[] logits = new float[prompt.length * fixture.vocabulary()];
            runner.logits(0, prompt.length, logits, 0, tap);
            float[] expected = fixture.hidden().orElseThrow();
            assertThat(states).hasSize(model.spec().layers().size() + 2);
            for (int s = 0; s < states.size(); s++) {
                for (int i = 0; i < states.get(s).length; i++) {
                    float want = expected[s * prompt.length * d + i];
                    assertThat((double) Math.abs(states.get(s)[i] - want))
                            .as("state %d, value %d", s, i)
                            .isLessThanOrEqualTo(1e-3 + 1e-4 * Math.abs(want));
                }
            }
        }
    }

    static Stream<Arguments> fixturesWithHiddenStates() {
        return fixtures().filter(a -> ((Fixture) a.get()[1]).hidden().isPresent());
    }

    /// The prompt in chunks, then the recorded continuation token by token: (rows, vocabulary).
    private static float[] teacherForced(Runner runner, Fixture fixture, int i) {
        int[] tokens = fixture.sequence(i);
        int prompt = fixture.prompts().get(i).length;
        float[] logits = new float[tokens.length * fixture.vocabulary()];
        try (Caches caches = runner.model().newCaches(tokens.length, MAX_ROWS, CacheType.F32)) {
            for (int at = 0; at < tokens.length; ) {
                int n = at < prompt ? Math.min(MAX_ROWS, prompt - at) : 1;
                runner.forward(caches, tokens, at, n, at, Tap.NONE);
                runner.logits(0, n, logits, at * fixture.vocabulary(), Tap.NONE);
                at += n;
            }
        }
        return logits;
    }

    /// The likeliest token after the prompt and after each recorded token.
    private static int[] greedy(float[] logits, Fixture fixture, int prompt) {
        int first = fixture.prompts().get(prompt).length - 1;
        int[] out = new int[fixture.greedy().get(prompt).length];
        for (int i = 0; i < out.length; i++) {
            int row = (first + i) * fixture.vocabulary();
            int best = 0;
            for (int t = 1; t < fixture.vocabulary(); t++) {
                if (logits[row + t] > logits[row + best]) {
                    best = t;
                }
            }
            out[i] = best;
        }
        return out;
    }

    /// Differences over all rows of all prompts.
    private static final class Deviation {
        private double max;
        private double squares;
        private long count;

        void add(float[] got, float[] want) {
            assertThat(got).hasSameSizeAs(want);
            for (int i = 0; i < got.length; i++) {
                double d = Math.abs((double) got[i] - want[i]);
                max = Math.max(max, Double.isNaN(d) ? Double.POSITIVE_INFINITY : d);
                squares += d * d;
            }
            count += got.length;
        }

        double rms() {
            return Math.sqrt(squares / count);
        }
    }
}
