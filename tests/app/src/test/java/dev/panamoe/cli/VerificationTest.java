package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.Session;
import dev.panamoe.engine.Verification;
import dev.panamoe.engine.Verification.Bounds;
import dev.panamoe.engine.Verification.Difference;
import dev.panamoe.engine.Verification.Report;
import dev.panamoe.engine.Verification.Step;
import dev.panamoe.sampling.SamplingParams;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What `verify` calls out of bounds. Made-up differences, since a backend that is wrong is not at hand.
class VerificationTest {
    private static final Bounds BOUNDS = new Bounds(1e-4, 1e-2);
    private static final Difference GOOD = new Difference(1e-3, 1e-5, 1);

    private static Report report(Difference layer, Difference logits, Step... steps) {
        return new Report(3, List.of(GOOD, layer), logits, List.of(steps), BOUNDS);
    }

    @Test
    void withinBounds() {
        assertThat(report(GOOD, GOOD, new Step(1, 1, 0)).isSound()).isTrue();
    }

    @Test
    void aLayerOrTheLogitsOutOfBounds() {
        Difference mean = new Difference(1e-3, 2e-4, 1);
        assertThat(report(mean, GOOD).isSound()).isFalse();
        assertThat(report(GOOD, mean).isSound()).isFalse();
        assertThat(report(GOOD, new Difference(2e-2, 1e-5, 1)).isSound()).isFalse();
        // One expert chosen otherwise changes a row a lot, and later layers with it; the mean tells whether that is
        // all.
        assertThat(report(new Difference(2e-2, 1e-5, 1), GOOD).isSound()).isTrue();
    }

    @Test
    void boundsFollowTheScale() {
        assertThat(report(new Difference(1, 1e-2, 1000), new Difference(1, 1e-2, 1000))
                        .isSound())
                .isTrue();
    }

    @Test
    void nothingToCompareWithIsOutOfBounds() {
        double inf = Double.POSITIVE_INFINITY;
        assertThat(report(new Difference(inf, inf, Double.NaN), GOOD).isSound()).isFalse();
        assertThat(report(GOOD, new Difference(inf, inf, 1)).isSound()).isFalse();
        assertThat(report(new Difference(1, 1, 0), GOOD).isSound()).isFalse();
    }

    @Test
    void anotherChoiceIsAnErrorUnlessTheTwoAreClose() {
        assertThat(report(GOOD, GOOD, new Step(1, 2, 0.5)).isSound()).isFalse();
        Report close = report(GOOD, GOOD, new Step(1, 1, 0), new Step(1, 2, 0.01));
        assertThat(close.isSound()).isTrue();
        assertThat(close.agreeing()).isEqualTo(1);
    }

    /// Both sides are one engine, so that they agree exactly, unless the session's steps come in between.
    @Test
    void anotherSessionOfTheEngineChangesNothing() throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        try (Engine engine = Engine.open("demo:gemma4", EngineOptions.DEFAULT.withContextLength(256));
                Session session = engine.newSession()) {
            GenerationOptions some =
                    GenerationOptions.of(SamplingParams.GREEDY).withMaxTokens(8).withIgnoreEnd(true);
            Thread other = new Thread(() -> {
                while (!stop.get()) {
                    session.complete(new int[] {2, 677, 278}, some, delta -> {});
                }
            });
            other.start();
            try {
                int[] prompt = IntStream.range(100, 140).toArray();
                Report report = new Verification(engine, engine, BOUNDS).run(prompt, 40);
                assertThat(report.agreeing()).isEqualTo(40);
                assertThat(report.logits().max()).isZero();
                assertThat(report.layers())
                        .allSatisfy(layer -> assertThat(layer.max()).isZero());
            } finally {
                stop.set(true);
                other.join();
            }
        }
    }
}
