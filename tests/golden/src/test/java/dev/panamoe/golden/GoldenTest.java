package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
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
        return Backends.with(f -> true);
    }

    /// With the exact arithmetic that the tolerances are for.
    static Device open(String backend) {
        return open(backend, DeviceOptions.DEFAULT.withActivations(DeviceOptions.Activations.F32));
    }

    static Device openAsByDefault(String backend) {
        return open(backend, DeviceOptions.DEFAULT);
    }

    static Device open(String backend, DeviceOptions options) {
        BackendProvider provider = BackendProvider.all().stream()
                .filter(p -> p.name().equals(backend))
                .findFirst()
                .orElseThrow();
        Probe.Usable usable = (Probe.Usable) provider.probe();
        return provider.open(usable.devices().getFirst(), options);
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

    /// Activations rounded to 8 bits: how far other engines that do so are from the goldens says how far is too far.
    /// The largest error says nothing, as one expert chosen otherwise changes a row entirely.
    @ParameterizedTest(name = "{2} with 8-bit activations on {0} with {1} kernels")
    @MethodSource("fixturesInEightBits")
    void eightBitActivations(String backend, String kernels, Fixture fixture) {
        DeviceOptions options = DeviceOptions.DEFAULT
                .withActivations(DeviceOptions.Activations.Q8)
                .withKernels(kernels);
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = open(backend, options);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, MAX_ROWS)) {
            assertThat(device.arithmetic()).isEqualTo(Arithmetic.INT8);
            List<Double> rows = new ArrayList<>();
            int differing = 0;
            int choices = 0;
            for (int i = 0; i < fixture.prompts().size(); i++) {
                float[] logits = teacherForced(runner, fixture, i);
                float[] expected = fixture.logits().get(i);
                for (int at = 0; at < expected.length; at += fixture.vocabulary()) {
                    double squares = 0;
                    for (int c = at; c < at + fixture.vocabulary(); c++) {
                        double d = (double) logits[c] - expected[c];
                        squares += d * d;
                    }
                    rows.add(Math.sqrt(squares / fixture.vocabulary()));
                }
                int[] greedy = greedy(logits, fixture, i);
                for (int j = 0; j < greedy.length; j++) {
                    differing += greedy[j] == fixture.greedy().get(i)[j] ? 0 : 1;
                    choices++;
                }
            }
            double median = rows.stream().sorted().toList().get(rows.size() / 2);
            assertThat(median)
                    .as("median over rows of the row's rms")
                    .isLessThanOrEqualTo(1.5 * fixture.peerRowRms().orElseThrow());
            assertThat(differing).as("greedy choices that differ").isLessThanOrEqualTo(choices / 5);
        }
    }

    /// The fixtures of quantised weights with every kernel set: only there activations are rounded.
    static Stream<Arguments> fixturesInEightBits() {
        return Backends.inEightBits(f -> f.peerRowRms().isPresent() && f.name().matches(".*[/-](q\\d_\\w|mxfp4)"));
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
