package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.panamoe.chat.ChatMessage;
import dev.panamoe.chat.Delta;
import dev.panamoe.engine.Benchmark;
import dev.panamoe.engine.Completion;
import dev.panamoe.engine.Embedder;
import dev.panamoe.engine.EmbeddingOptions;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.EngineOptions.IfDeviceLost;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.Perplexity;
import dev.panamoe.engine.Profiler;
import dev.panamoe.engine.Session;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.spi.DeviceLostException;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of requests, sessions and the engine when the device is lost.
@Timeout(120)
class DeviceLostTest {
    private static final GenerationOptions GREEDY =
            GenerationOptions.of(SamplingParams.GREEDY).withMaxTokens(20);
    private static final String QUESTION = "What is the capital of France?";
    private static final String NEXT = "What is the opposite of hot?";
    private static final EmbeddingOptions VECTORS = EmbeddingOptions.DEFAULT;

    @TempDir
    private Path folder;

    private final List<String> warnings = new ArrayList<>();
    private ClassLoader before;
    private URLClassLoader loader;

    @BeforeEach
    void haveTheProvider() throws IOException {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve("dev.panamoe.spi.BackendProvider"), FragileProvider.class.getName());
        before = Thread.currentThread().getContextClassLoader();
        loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, before);
        Thread.currentThread().setContextClassLoader(loader);
        FragileProvider.reset();
    }

    /// Whatever else a test shows: nothing was used that went with a device.
    @AfterEach
    void nothingLostWasUsed() throws IOException {
        Thread.currentThread().setContextClassLoader(before);
        loader.close();
        assertThat(FragileProvider.FAULTS).isEmpty();
    }

    private Engine open(String backend, IfDeviceLost ifDeviceLost) {
        Engine engine = Engine.open(
                "demo:gemma4",
                EngineOptions.DEFAULT
                        .withBackend(backend)
                        .withContextLength(512)
                        .withIfDeviceLost(ifDeviceLost));
        engine.onWarning(warnings::add);
        return engine;
    }

    private Engine fragile(IfDeviceLost ifDeviceLost) {
        return open("fragile", ifDeviceLost);
    }

    private static void ignore(Delta delta) {}

    private static Completion chat(Session session, String text) {
        return session.chat(text, GREEDY, DeviceLostTest::ignore);
    }

    private static String failure(Session session, String text) {
        try {
            chat(session, text);
        } catch (DeviceLostException e) {
            return e.getMessage();
        }
        throw new AssertionError("the request did not fail");
    }

    private static void loseNow(Session session) {
        FragileProvider.loseAt(1);
        failure(session, NEXT);
    }

    /// What is answered to a conversation where nothing goes wrong.
    private List<Integer> undisturbed(String backend, List<ChatMessage> conversation) {
        try (Engine engine = open(backend, IfDeviceLost.FAIL);
                Session session = engine.newSession()) {
            return session.answer(conversation, Map.of(), GREEDY, DeviceLostTest::ignore)
                    .tokens();
        }
    }

    /// At its first call, in the prompt, in the answer, at its last call.
    @Test
    void theRequestFailsAndTheNextAnswersAsIfNothingHadHappened() {
        long calls;
        List<ChatMessage> conversation;
        List<Integer> second;
        try (Engine engine = fragile(IfDeviceLost.FAIL);
                Session session = engine.newSession()) {
            chat(session, QUESTION);
            conversation = session.messages();
            long start = FragileProvider.CALLS.get();
            second = chat(session, NEXT).tokens();
            calls = FragileProvider.CALLS.get() - start;
        }
        for (long n : new long[] {1, 20, calls / 2, calls}) {
            FragileProvider.reset();
            warnings.clear();
            try (Engine engine = fragile(IfDeviceLost.REOPEN);
                    Session session = engine.newSession()) {
                chat(session, QUESTION);
                FragileProvider.loseAt(n);
                assertThat(failure(session, NEXT))
                        .isEqualTo("the device fragile (glass) was lost: " + FragileProvider.WORD
                                + "; this request has failed, a later one opens it again");
                assertThat(session.messages()).isEqualTo(conversation);
                assertThat(warnings).isEmpty();

                Completion again = chat(session, NEXT);
                assertThat(again.tokens()).isEqualTo(second);
                assertThat(again.usage().cached()).isZero();
                assertThat(FragileProvider.OPENED).hasValue(2);
                assertThat(warnings).containsExactly("the device fragile was lost; opening fragile");
                assertThat(chat(session, QUESTION).usage().cached()).isPositive();
            }
        }
    }

    @Test
    void theCpuGoesOnWhereThatIsWanted() {
        try (Engine engine = fragile(IfDeviceLost.CPU);
                Session session = engine.newSession()) {
            chat(session, QUESTION);
            FragileProvider.loseAt(1);
            assertThat(failure(session, NEXT)).endsWith("a later one goes on with cpu");
            assertThat(engine.device().id()).isEqualTo("fragile");

            List<Integer> answer = chat(session, NEXT).tokens();
            assertThat(engine.device().id()).isEqualTo("cpu");
            assertThat(engine.backendReasons()).containsExactly("backend cpu: fragile was lost");
            chat(session, QUESTION);
            assertThat(warnings).containsExactly("the device fragile was lost; opening cpu");
            assertThat(FragileProvider.OPENED).hasValue(1);
            assertThat(answer).isEqualTo(undisturbed("cpu", session.messages().subList(0, 3)));
        }
    }

    @Test
    void whereNothingIsToBeDoneAllThatFollowFail() {
        try (Engine engine = fragile(IfDeviceLost.FAIL);
                Session session = engine.newSession()) {
            FragileProvider.loseAt(1);
            assertThat(failure(session, QUESTION)).contains(FragileProvider.WORD, "as all later ones will");
            assertThat(failure(session, QUESTION))
                    .isEqualTo("the device fragile was lost: " + FragileProvider.WORD + "; start again");
            assertThatExceptionOfType(DeviceLostException.class)
                    .isThrownBy(() -> engine.newSession().close());
            assertThat(FragileProvider.OPENED).hasValue(1);
        }
    }

    /// While its device cannot be opened, the engine says so; it tries again each time.
    @Test
    void aDeviceThatCannotBeOpenedAgain() {
        try (Engine engine = fragile(IfDeviceLost.REOPEN);
                Session session = engine.newSession()) {
            chat(session, QUESTION);
            loseNow(session);
            FragileProvider.REFUSED_OPENINGS.set(1);
            FragileProvider.REFUSED_UPLOADS.set(1);
            assertThat(failure(session, NEXT))
                    .isEqualTo("the device fragile was lost, and fragile cannot be opened: no device is left;"
                            + " the next request tries it once more");
            assertThat(failure(session, NEXT)).contains("fragile cannot be opened: " + FragileProvider.WORD);
            assertThat(chat(session, NEXT).tokens())
                    .isEqualTo(undisturbed("reference", session.messages().subList(0, 3)));
            assertThat(warnings).hasSize(3).containsOnly("the device fragile was lost; opening fragile");
        }
        Engine engine = fragile(IfDeviceLost.REOPEN);
        Session session = engine.newSession();
        loseNow(session);
        FragileProvider.REFUSED_OPENINGS.set(9);
        failure(session, NEXT);
        assertThatCode(() -> {
                    session.close();
                    engine.close();
                })
                .doesNotThrowAnyException();
    }

    /// It may be between two requests, or between two tokens.
    @Test
    void otherSessionsGoOn() {
        try (Engine engine = fragile(IfDeviceLost.REOPEN);
                Session victim = engine.newSession();
                Session idle = engine.newSession();
                Session answering = engine.newSession()) {
            chat(idle, QUESTION);
            chat(answering, QUESTION);
            AtomicBoolean done = new AtomicBoolean();
            Completion interrupted = answering.chat(NEXT, GREEDY, delta -> {
                if (!done.getAndSet(true)) {
                    loseNow(victim);
                }
            });
            assertThat(done).isTrue();
            List<Integer> right = undisturbed("reference", answering.messages().subList(0, 3));
            assertThat(interrupted.tokens()).isEqualTo(right);
            assertThat(interrupted.usage().cached())
                    .as("all of it was computed again")
                    .isZero();
            assertThat(chat(idle, NEXT).tokens()).isEqualTo(right);
            assertThat(warnings).hasSize(1);
        }
    }

    /// Each of many requests at a time fails with that message or answers right, and none waits for ever.
    @Test
    void manySessionsAtATime() throws Exception {
        List<Integer> right = undisturbed("reference", List.of(ChatMessage.user(QUESTION)));
        try (Engine engine = fragile(IfDeviceLost.REOPEN);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            FragileProvider.loseAt(1000);
            List<Callable<List<Integer>>> requests = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                requests.add(() -> {
                    try (Session session = engine.newSession()) {
                        return chat(session, QUESTION).tokens();
                    }
                });
            }
            int failed = 0;
            for (Future<List<Integer>> answer : threads.invokeAll(requests)) {
                try {
                    assertThat(answer.get()).isEqualTo(right);
                } catch (ExecutionException e) {
                    assertThat(e).hasCauseInstanceOf(DeviceLostException.class);
                    failed++;
                }
            }
            assertThat(failed).isEqualTo(1);
            assertThat(FragileProvider.OPENED).hasValue(2);
        }
    }

    @Test
    void vectorsAndPerplexitiesAreThoseOfBefore() {
        try (Engine engine = fragile(IfDeviceLost.REOPEN);
                Session victim = engine.newSession();
                Embedder embedder = engine.newEmbedder(VECTORS);
                Perplexity perplexity = new Perplexity(engine)) {
            float[] vector = embedder.embed(QUESTION).vector();
            Perplexity.Document text =
                    new Perplexity.Document("text", engine.tokenizer().encodePrompt(QUESTION), 1);
            Perplexity.Score score = perplexity.score(text);
            FragileProvider.loseAt(20);
            assertThatExceptionOfType(DeviceLostException.class).isThrownBy(() -> embedder.embed(QUESTION));
            assertThat(embedder.embed(QUESTION).vector()).isEqualTo(vector);
            assertThat(perplexity.score(text)).isEqualTo(score);
            FragileProvider.loseAt(20);
            assertThatExceptionOfType(DeviceLostException.class).isThrownBy(() -> perplexity.score(text));
            assertThat(perplexity.score(text)).isEqualTo(score);
            loseNow(victim);
            assertThat(embedder.embed(QUESTION).vector()).isEqualTo(vector);
        }
    }

    @Test
    void whileKeysAndValuesAreAllocated() {
        try (Engine engine = fragile(IfDeviceLost.REOPEN)) {
            FragileProvider.loseAt(1);
            assertThatExceptionOfType(DeviceLostException.class)
                    .isThrownBy(() -> engine.newSession().close());
            try (Session session = engine.newSession()) {
                assertThat(chat(session, QUESTION).text()).contains("Paris");
            }
            assertThat(FragileProvider.OPENED).hasValue(2);
        }
    }

    @Test
    void aBenchmarkFillsItsContextAgain() {
        try (Engine engine = fragile(IfDeviceLost.REOPEN);
                Session victim = engine.newSession();
                Benchmark benchmark = new Benchmark(engine, 40, 1)) {
            Benchmark.Test test = new Benchmark.Test(true, 2, 30);
            benchmark.run(test);
            long before = FragileProvider.CALLS.get();
            benchmark.run(test);
            long ofTest = FragileProvider.CALLS.get() - before;
            loseNow(victim);
            before = FragileProvider.CALLS.get();
            benchmark.run(test);
            assertThat(FragileProvider.CALLS.get() - before).isGreaterThan(ofTest);
        }
    }

    /// Ending what is under way opens nothing.
    @Test
    void closingOpensNoDevice() {
        try (Engine engine = fragile(IfDeviceLost.REOPEN);
                Session session = engine.newSession();
                Embedder embedder = engine.newEmbedder(VECTORS);
                Profiler profiler = engine.newProfiler()) {
            assertThat(profiler).isNotNull();
            assertThat(embedder).isNotNull();
            loseNow(session);
        }
        assertThat(FragileProvider.OPENED).hasValue(1);
    }
}
