package dev.panamoe.golden;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Embedder;
import dev.panamoe.engine.Embedding;
import dev.panamoe.engine.EmbeddingOptions;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Logits;
import dev.panamoe.engine.Pooling;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.DeviceOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Vectors of texts against the hidden states of the independent implementation, and what they must not depend on.
class EmbedderTest {
    private static final EngineOptions EXACT = EngineOptions.DEFAULT
            .withCacheType(CacheType.F32)
            .withDevice(DeviceOptions.DEFAULT.withActivations(DeviceOptions.Activations.F32));
    private static final EmbeddingOptions RAW = EmbeddingOptions.DEFAULT.withNormalize(false);

    @TempDir
    Path folder;

    static Stream<Arguments> hiddenStates() {
        return GoldenTest.fixturesWithHiddenStates();
    }

    /// Pools the states after the last norm, (tokens, embedding).
    private static double[] pooled(float[] states, int tokens, Pooling pooling) {
        int width = states.length / tokens;
        double[] out = new double[width];
        int first = pooling == Pooling.LAST ? tokens - 1 : 0;
        int end = pooling == Pooling.CLS ? 1 : tokens;
        for (int t = first; t < end; t++) {
            for (int i = 0; i < width; i++) {
                out[i] += states[t * width + i] / (double) (end - first);
            }
        }
        return out;
    }

    private static double length(float[] vector) {
        double squares = 0;
        for (float v : vector) {
            squares += (double) v * v;
        }
        return Math.sqrt(squares);
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("hiddenStates")
    void vectorsAreThePooledHiddenStates(String backend, Fixture fixture) {
        int[] prompt = fixture.prompts().getFirst();
        float[] hidden = fixture.hidden().orElseThrow();
        try (Engine engine = Engine.open(fixture.model().toString(), EXACT.withBackend(backend))) {
            int size = prompt.length * engine.spec().embedding();
            float[] last = Arrays.copyOfRange(hidden, hidden.length - size, hidden.length);
            for (Pooling pooling : Pooling.values()) {
                double[] want = pooled(last, prompt.length, pooling);
                try (Embedder raw = engine.newEmbedder(RAW.withPooling(pooling));
                        Embedder unit = engine.newEmbedder(EmbeddingOptions.DEFAULT.withPooling(pooling))) {
                    Embedding got = raw.embed(prompt);
                    assertThat(got.tokens()).isEqualTo(prompt.length);
                    assertThat(got.vector()).hasSize(want.length);
                    double norm = length(got.vector());
                    float[] normed = unit.embed(prompt).vector();
                    assertThat(length(normed)).isCloseTo(1, within(1e-6));
                    for (int i = 0; i < want.length; i++) {
                        assertThat((double) got.vector()[i])
                                .as("%s, value %d", pooling, i)
                                .isCloseTo(want[i], within(1e-3 + 1e-4 * Math.abs(want[i])));
                        assertThat((double) normed[i]).isCloseTo(got.vector()[i] / norm, within(1e-6));
                    }
                }
            }
        }
    }

    /// An embedder passes up to 512 tokens at once, `Logits` 64: the states are the same, bit for bit, and so is what
    /// is pooled from them.
    @ParameterizedTest
    @EnumSource
    void theCutIntoPassesDoesNotMatter(Pooling pooling) {
        Path model = Path.of(System.getProperty("panamoe.testdata"), "fixtures/gemma4-moe/model-q8_0.gguf");
        try (Engine engine = Engine.open(model.toString(), EngineOptions.DEFAULT.withContextLength(600))) {
            int width = engine.spec().embedding();
            int[] tokens =
                    new Random(7).ints(600, 1, engine.spec().vocabulary()).toArray();
            int normed = 1 + engine.spec().layers().size();
            double[] sum = new double[width];
            new Logits(engine, tokens).run(new Logits.Target() {
                @Override
                public void logits(float[] values, int count) {}

                @Override
                public boolean wantsStates() {
                    return true;
                }

                @Override
                public void state(int state, int first, int cols, float[] values) {
                    for (int i = 0; state == normed && i < values.length; i++) {
                        int token = first + i / cols;
                        boolean taken = switch (pooling) {
                            case MEAN -> true;
                            case CLS -> token == 0;
                            case LAST -> token == tokens.length - 1;
                        };
                        sum[i % cols] += taken ? values[i] : 0;
                    }
                }
            });
            float[] want = new float[width];
            for (int i = 0; i < width; i++) {
                want[i] = (float) (pooling == Pooling.MEAN ? sum[i] / tokens.length : sum[i]);
            }
            try (Embedder embedder = engine.newEmbedder(RAW.withPooling(pooling))) {
                assertThat(embedder.embed(tokens).vector()).isEqualTo(want);
                // What the caches remember of a text does not reach the next.
                float[] alone = embedder.embed(new int[] {5, 9}).vector();
                embedder.embed(tokens);
                assertThat(embedder.embed(new int[] {5, 9}).vector()).isEqualTo(alone);
            }
        }
    }

    @Test
    void severalTextsAreEachASequenceOfItsOwn() {
        try (Engine engine = Engine.open("demo:gemma4", EngineOptions.DEFAULT);
                Embedder embedder = engine.newEmbedder(EmbeddingOptions.DEFAULT)) {
            assertThat(embedder.pooling()).isEqualTo(Pooling.LAST);
            List<Embedding> all = embedder.embed(List.of("a dog", "<eos>", "a dog"));
            assertThat(all.get(0).vector()).isEqualTo(all.get(2).vector());
            assertThat(all.get(1).vector()).isNotEqualTo(all.get(0).vector());
            assertThat(all.get(1).tokens()).as("control tokens are text").isGreaterThan(2);
            assertThat(embedder.embed("a dog").vector()).isEqualTo(all.get(0).vector());
            int[] ids = engine.tokenizer().withBos(engine.tokenizer().encode("a dog", false));
            assertThat(embedder.embed(ids).vector()).isEqualTo(all.get(0).vector());
            assertThat(all.get(0).tokens()).isEqualTo(ids.length);
        }
    }

    @Test
    void whatDoesNotFitIsRefusedOrCut() {
        try (Engine engine = Engine.open("demo:gemma4", EngineOptions.DEFAULT.withContextLength(4));
                Embedder strict = engine.newEmbedder(EmbeddingOptions.DEFAULT);
                Embedder cutting = engine.newEmbedder(EmbeddingOptions.DEFAULT.withTruncate(true))) {
            assertThatExceptionOfType(PanamoeException.class)
                    .isThrownBy(() -> strict.embed(List.of("a", "What is the capital of France?")))
                    .withMessageMatching("text 2 has \\d+ tokens, but the context holds 4; use .*");
            assertThatExceptionOfType(PanamoeException.class)
                    .isThrownBy(() -> strict.embed(new int[] {1, 2, 3, 4, 5}))
                    .withMessageContaining("5 tokens do not fit the context of 4 positions");
            assertThatExceptionOfType(PanamoeException.class)
                    .isThrownBy(() -> strict.embed(""))
                    .withMessageContaining("the text is empty");
            assertThatExceptionOfType(PanamoeException.class).isThrownBy(() -> strict.embed(new int[] {}));
            assertThatExceptionOfType(PanamoeException.class)
                    .isThrownBy(() -> strict.embed(new int[] {1 << 20}))
                    .withMessageContaining("not in the vocabulary");
            Embedding cut = cutting.embed(new int[] {1, 2, 3, 4, 5});
            assertThat(cut.truncated()).isTrue();
            assertThat(cut.tokens()).isEqualTo(4);
            assertThat(cut.vector())
                    .isEqualTo(strict.embed(new int[] {1, 2, 3, 4}).vector());
            assertThat(strict.embed(new int[] {1, 2, 3, 4}).truncated()).isFalse();
        }
    }

    @Test
    void aClosedEngineGivesNoEmbedder() {
        Engine engine = Engine.open("demo:gemma4", EngineOptions.DEFAULT);
        engine.close();
        assertThatIllegalStateException().isThrownBy(() -> engine.newEmbedder(EmbeddingOptions.DEFAULT));
    }

    @Test
    void theFileNamesThePooling() throws IOException {
        String key = "gemma4.pooling_type";
        assertThat(poolingOf(key, 0)).isEqualTo(Pooling.LAST);
        assertThat(poolingOf(key, 1)).isEqualTo(Pooling.MEAN);
        assertThat(poolingOf(key, 2)).isEqualTo(Pooling.CLS);
        assertThat(poolingOf(key, 3)).isEqualTo(Pooling.LAST);
        assertThatExceptionOfType(PanamoeException.class)
                .isThrownBy(() -> poolingOf(key, 4))
                .withMessageContainingAll(key, "4 (rank)", "name a pooling");
        assertThatExceptionOfType(PanamoeException.class)
                .isThrownBy(() -> poolingOf(key, 77))
                .withMessageContainingAll(key, "77", "expected 0 (none)");
        // Whoever names a pooling gets it.
        try (Engine engine = Engine.open(withKey(key, 4).toString(), EngineOptions.DEFAULT);
                Embedder embedder = engine.newEmbedder(EmbeddingOptions.DEFAULT.withPooling(Pooling.CLS))) {
            assertThat(embedder.pooling()).isEqualTo(Pooling.CLS);
        }
    }

    @Test
    void aDocumentEndsAsTheModelWants() throws IOException {
        Path model = withKey("tokenizer.ggml.add_eos_token", 1);
        try (Engine plain = Engine.open("demo:gemma4", EngineOptions.DEFAULT);
                Engine engine = Engine.open(model.toString(), EngineOptions.DEFAULT.withContextLength(4));
                Embedder before = plain.newEmbedder(EmbeddingOptions.DEFAULT);
                Embedder embedder = engine.newEmbedder(EmbeddingOptions.DEFAULT.withTruncate(true))) {
            int word = 677;
            int bos = engine.tokenizer().bos().orElseThrow();
            int eos = engine.tokenizer().eos().orElseThrow();
            assertThat(embedder.embed("Hello!").tokens())
                    .isEqualTo(before.embed("Hello!").tokens() + 1);
            float[] whole = embedder.embed(new int[] {bos, word, word, eos}).vector();
            assertThat(embedder.embed(new int[] {bos, word, word, word, word, eos})
                            .vector())
                    .as("a text that is cut still ends")
                    .isEqualTo(whole);
        }
    }

    @Test
    void modelsThatLookAheadAreRefused() throws IOException {
        Path model = withKey("gemma4.attention.causal", 0);
        assertThatExceptionOfType(PanamoeException.class)
                .isThrownBy(() -> Engine.open(model).close())
                .withMessageContainingAll("gemma4.attention.causal is false", "not supported")
                .withMessageNotContaining("\n");
    }

    private Pooling poolingOf(String key, int value) throws IOException {
        try (Engine engine = Engine.open(withKey(key, value).toString(), EngineOptions.DEFAULT);
                Embedder embedder = engine.newEmbedder(EmbeddingOptions.DEFAULT)) {
            return embedder.pooling();
        }
    }

    /// The embedded Gemma's twin with one more key, of type uint32, before all others.
    private Path withKey(String key, int value) throws IOException {
        byte[] model;
        try (InputStream in = Engine.class.getResourceAsStream("/dev/panamoe/models/tiny-gemma4-moe-q8_0.gguf")) {
            model = requireNonNull(in).readAllBytes();
        }
        int header = 24; // magic, version, tensors, keys
        byte[] name = key.getBytes(StandardCharsets.UTF_8);
        int entry = 8 + name.length + 4 + 4;
        int filler = 8 + 1 + 4 + 8;
        int padding = Math.floorMod(-(entry + filler), 32); // the tensors stay aligned
        ByteBuffer out =
                ByteBuffer.allocate(model.length + entry + filler + padding).order(ByteOrder.LITTLE_ENDIAN);
        out.put(model, 0, header);
        out.putLong(16, out.getLong(16) + 2);
        out.putLong(name.length).put(name).putInt(4).putInt(value); // uint32
        out.putLong(1).put((byte) 'x').putInt(8).putLong(padding).put(new byte[padding]); // a string
        out.put(model, header, model.length - header);
        return Files.write(folder.resolve("with-key.gguf"), out.array());
    }
}
