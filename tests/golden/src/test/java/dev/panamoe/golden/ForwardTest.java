package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What must not change a result, bit for bit: how a prompt is cut into passes, which rows are in a pass, how many
/// threads compute it, and whether a sliding layer's cache is a ring.
class ForwardTest {
    private static final List<String> VARIANTS = List.of(
            "gemma4-moe/q4_0",
            "gemma4-moe-k/q4_k",
            "gemma4-dense/q8_0",
            "deepseek-v3/mla-q8_0",
            "deepseek-v2-lite/f32",
            "gpt-oss/mxfp4");

    static Stream<Arguments> variants() {
        return Backends.with(f -> VARIANTS.contains(f.name()));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("variants")
    void rowsAloneAreRowsInABatch(String backend, Fixture fixture) {
        int[] tokens = tokens(fixture, 70);
        float[] oneByOne = run(backend, fixture, tokens, 1, CacheType.F16, 0);
        assertThat(run(backend, fixture, tokens, 64, CacheType.F16, 0)).isEqualTo(oneByOne);
        assertThat(run(backend, fixture, tokens, 7, CacheType.F16, 0)).isEqualTo(oneByOne);
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("variants")
    void threadsDoNotMatter(String backend, Fixture fixture) {
        int[] tokens = tokens(fixture, 33);
        float[] one = run(backend, fixture, tokens, 33, CacheType.F32, 1);
        assertThat(run(backend, fixture, tokens, 33, CacheType.F32, 2)).isEqualTo(one);
        assertThat(run(backend, fixture, tokens, 33, CacheType.F32, 3)).isEqualTo(one);
    }

    /// The window of the Gemma and gpt-oss fixtures is 8: with passes of 4 rows their rings hold 12 of 70 positions,
    /// with passes of 70 they hold all.
    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("variants")
    void aRingHoldsWhatTheWindowSees(String backend, Fixture fixture) {
        int[] tokens = tokens(fixture, 70);
        float[] ring = run(backend, fixture, tokens, 4, CacheType.F32, 0);
        float[] all = run(backend, fixture, tokens, 70, CacheType.F32, 0);
        assertThat(ring).isEqualTo(all);
    }

    /// Dropping the latest tokens and going on is as if they had never been.
    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("variants")
    void aRewoundCacheGoesOnAsIfNothingHadBeen(String backend, Fixture fixture) {
        int[] tokens = tokens(fixture, 40);
        int[] others = tokens(fixture, 80);
        try (Opened o = new Opened(backend, fixture, 8, 0)) {
            float[] straight = new float[fixture.vocabulary()];
            try (Caches caches = o.model.newCaches(100, 8, CacheType.F16)) {
                o.pass(caches, tokens, 0, 40);
                o.runner.logits(7, 1, straight, 0, Tap.NONE);
            }
            float[] rewound = new float[fixture.vocabulary()];
            try (Caches caches = o.model.newCaches(100, 8, CacheType.F16)) {
                o.pass(caches, tokens, 0, 32);
                int drop = Math.min(8, caches.rewindable());
                int[] detour = others.clone();
                System.arraycopy(tokens, 0, detour, 0, 32);
                o.pass(caches, detour, 32, 32 + drop);
                o.pass(caches, tokens, 32, 40);
                o.runner.logits(7, 1, rewound, 0, Tap.NONE);
            }
            assertThat(rewound).isEqualTo(straight);
        }
    }

    private static int[] tokens(Fixture fixture, int count) {
        return new Random(count).ints(count, 1, fixture.vocabulary()).toArray();
    }

    /// Logits of all rows: (tokens, vocabulary).
    private static float[] run(String backend, Fixture fixture, int[] tokens, int rows, CacheType type, int threads) {
        try (Opened o = new Opened(backend, fixture, rows, threads);
                Caches caches = o.model.newCaches(tokens.length, rows, type)) {
            float[] logits = new float[tokens.length * fixture.vocabulary()];
            for (int at = 0; at < tokens.length; at += rows) {
                int n = Math.min(rows, tokens.length - at);
                o.runner.forward(caches, tokens, at, n, at, Tap.NONE);
                o.runner.logits(0, n, logits, at * fixture.vocabulary(), Tap.NONE);
            }
            return logits;
        }
    }

    /// A fixture on a backend.
    private static final class Opened implements AutoCloseable {
        private final GgufFile file;
        private final Device device;
        private final Model model;
        private final Runner runner;

        Opened(String backend, Fixture fixture, int rows, int threads) {
            BackendProvider provider = BackendProvider.all().stream()
                    .filter(p -> p.name().equals(backend))
                    .findFirst()
                    .orElseThrow();
            file = GgufFile.open(fixture.model());
            ModelSpec spec = Architectures.read(file);
            device = provider.open(((Probe.Usable) provider.probe()).devices().getFirst(), new DeviceOptions(threads));
            model = Model.load(file, spec, device);
            runner = new Runner(model, rows);
        }

        /// Tokens `from` to `to - 1` in passes of at most 8.
        void pass(Caches caches, int[] tokens, int from, int to) {
            for (int at = from; at < to; at += 8) {
                runner.forward(caches, tokens, at, Math.min(8, to - at), at, Tap.NONE);
            }
        }

        @Override
        public void close() {
            runner.close();
            model.close();
            device.close();
            file.close();
        }
    }
}
