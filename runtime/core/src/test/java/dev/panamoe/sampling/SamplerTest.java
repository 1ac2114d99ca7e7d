package dev.panamoe.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import dev.panamoe.PanamoeException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final SamplingParams PLAIN = new SamplingParams(1, 0, 1, 0, 1, 0, 64, 7);

    private static int once(SamplingParams p, float... logits) {
        return new Sampler(p).sample(logits, 0, logits.length);
    }

    private static List<Integer> support(SamplingParams p, float... logits) {
        return seen(p, 2_000, logits);
    }

    /// Which tokens come up, in order of their ids.
    private static List<Integer> seen(SamplingParams p, int draws, float... logits) {
        var sampler = new Sampler(p);
        var seen = new LinkedHashSet<Integer>();
        for (int i = 0; i < draws; i++) {
            seen.add(sampler.sample(logits, 0, logits.length));
        }
        return seen.stream().sorted().toList();
    }

    private static float ln(double probability) {
        return (float) Math.log(probability);
    }

    @Test
    void greedyTakesTheFirstOfTheLargest() {
        assertThat(once(SamplingParams.GREEDY, -1, 3, 2, 3)).isEqualTo(1);
        assertThat(new Sampler(SamplingParams.GREEDY).sample(new float[] {9, 9, 1, 5, 4}, 2, 3))
                .isEqualTo(1);
    }

    /// From the likeliest alone, the same tokens are drawn as from all.
    @Test
    void aShortlistIsEnough() {
        List<SamplingParams> all = List.of(
                SamplingParams.GREEDY,
                PLAIN.withTopK(40),
                PLAIN.withTopK(40).withTopP(0.9f).withMinP(0.05f).withTemperature(1.7f),
                PLAIN.withTopK(1).withTopP(0));
        for (SamplingParams params : all) {
            var whole = new Sampler(params);
            var listed = new Sampler(params);
            var random = new SplittableRandom(3);
            int k = listed.shortlist(256, 1000);
            assertThat(k).isEqualTo(params.isGreedy() ? 1 : params.topK());
            for (int round = 0; round < 200; round++) {
                // Steps of a fourth, so that there are equal ones.
                float[] logits = new float[1000];
                for (int i = 0; i < logits.length; i++) {
                    logits[i] = random.nextInt(-40, 20) / 4f;
                }
                int[] ids = likeliest(logits, k);
                float[] theirs = new float[k];
                for (int i = 0; i < k; i++) {
                    theirs[i] = logits[ids[i]];
                }
                assertThat(listed.sample(ids, theirs, k)).isEqualTo(whole.sample(logits, 0, 1000));
            }
        }
    }

    private static int[] likeliest(float[] logits, int k) {
        return IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]))
                .limit(k)
                .mapToInt(i -> i)
                .toArray();
    }

    @Test
    void whatNeedsAllLogitsHasNoShortlist() {
        assertThat(new Sampler(PLAIN).shortlist(256, 1000)).isZero();
        assertThat(new Sampler(PLAIN.withTopK(257)).shortlist(256, 1000)).isZero();
        assertThat(new Sampler(PLAIN.withTopK(40)).shortlist(256, 40)).isZero();
        assertThat(new Sampler(SamplingParams.GREEDY.withRepetitionPenalty(1.1f)).shortlist(256, 1000))
                .isZero();
    }

    @Test
    void aBrokenShortlistIsRefused() {
        var sampler = new Sampler(SamplingParams.GREEDY);
        assertThatThrownBy(() -> sampler.sample(new int[] {7}, new float[] {Float.NaN}, 1))
                .hasMessageContaining("the logit of token 7 is NaN");
        assertThatThrownBy(() -> sampler.sample(new int[] {7}, new float[] {Float.POSITIVE_INFINITY}, 1))
                .hasMessageContaining("the logit of token 7 is infinite");
        assertThatThrownBy(() -> sampler.sample(new int[] {7}, new float[] {Float.NEGATIVE_INFINITY}, 1))
                .hasMessageContaining("no token has a finite logit");
    }

    @Test
    void greedyHeedsThePenalties() {
        var sampler = new Sampler(SamplingParams.GREEDY.withRepetitionPenalty(2));
        float[] logits = {4, 3, -1};
        sampler.accept(0);
        assertThat(sampler.sample(logits, 0, 3)).isEqualTo(1);
        assertThat(logits).containsExactly(4, 3, -1);
        sampler.accept(1);
        assertThat(sampler.sample(logits, 0, 3)).isEqualTo(0);
    }

    @Test
    void penaltiesDividePositiveAndMultiplyNegativeLogitsOnceEach() {
        var penalties = new Penalties(PLAIN.withRepetitionPenalty(2).withPresencePenalty(0.5f));
        float[] logits = {4, -4, 1, 0};
        penalties.accept(0);
        penalties.accept(1);
        penalties.accept(1);
        penalties.accept(3);
        penalties.accept(99);
        penalties.apply(logits, 4);
        assertThat(logits).containsExactly(1.5f, -8.5f, 1, -0.5f);
    }

    @Test
    void penaltiesForgetWhatLeftTheWindow() {
        var penalties = new Penalties(PLAIN.withPresencePenalty(1).withPenaltyWindow(2));
        float[] logits = {0, 0, 0};
        penalties.accept(0);
        penalties.accept(1);
        penalties.accept(2);
        penalties.apply(logits, 3);
        assertThat(logits).containsExactly(0, -1, -1);
    }

    @Test
    void truncationsKeepWhatTheyShould() {
        float[] logits = {ln(0.1), ln(0.4), ln(0.05), ln(0.3), ln(0.15)};
        assertThat(support(PLAIN, logits)).containsExactly(0, 1, 2, 3, 4);
        assertThat(support(PLAIN.withTopK(2), logits)).containsExactly(1, 3);
        // 0.4 + 0.3 < 0.8 <= 0.4 + 0.3 + 0.15
        assertThat(support(PLAIN.withTopP(0.8f), logits)).containsExactly(1, 3, 4);
        assertThat(support(PLAIN.withTopP(0), logits)).containsExactly(1);
        // 0.3 * 0.4 = 0.12
        assertThat(support(PLAIN.withMinP(0.3f), logits)).containsExactly(1, 3, 4);
        // Of the two left, 0.4 / 0.7 = 0.57 reaches 0.5 alone.
        assertThat(support(PLAIN.withTopK(2).withTopP(0.5f), logits)).containsExactly(1);
        assertThat(support(PLAIN.withTopK(1), 1, 5, 5, 5)).containsExactly(1);
    }

    @Test
    void topPComesBeforeTheTemperature() {
        float[] logits = {ln(0.9), ln(0.1)};
        assertThat(support(PLAIN.withTemperature(50).withTopP(0.5f), logits)).containsExactly(0);
    }

    @Test
    void frequenciesFollowTheTemperedProbabilities() {
        double[] p = {0.5, 0.25, 0.15, 0.1};
        float[] logits = {ln(0.5), ln(0.25), ln(0.15), ln(0.1)};
        for (float temperature : new float[] {0.5f, 1, 2}) {
            var sampler = new Sampler(PLAIN.withTemperature(temperature));
            int draws = 20_000;
            int[] counts = new int[4];
            for (int i = 0; i < draws; i++) {
                counts[sampler.sample(logits, 0, 4)]++;
            }
            double total = 0;
            for (double x : p) {
                total += Math.pow(x, 1 / temperature);
            }
            double chiSquare = 0;
            for (int i = 0; i < 4; i++) {
                double expected = draws * Math.pow(p[i], 1 / temperature) / total;
                chiSquare += (counts[i] - expected) * (counts[i] - expected) / expected;
            }
            // Three degrees of freedom: 16.3 is exceeded once in a thousand.
            assertThat(chiSquare).isLessThan(16.3);
        }
    }

    @Test
    void agreesWithSortingEverything() {
        var random = new Random(11);
        for (int round = 0; round < 300; round++) {
            int n = 1 + random.nextInt(round % 10 == 0 ? 5_000 : 300);
            float[] logits = new float[n];
            for (int i = 0; i < n; i++) {
                // Coarse steps make ties.
                logits[i] =
                        random.nextInt(4) == 0 ? Math.round(random.nextGaussian() * 3) : (float) random.nextGaussian();
            }
            var params = new SamplingParams(
                    0.3f + random.nextFloat() * 2,
                    random.nextBoolean() ? 0 : 1 + random.nextInt(n + 5),
                    random.nextBoolean() ? 1 : random.nextFloat(),
                    random.nextBoolean() ? 0 : random.nextFloat() * 0.3f,
                    1,
                    0,
                    0,
                    round);
            var expected = kept(params, logits);
            var seen = seen(params, 100, logits);
            assertThat(seen).isSubsetOf(expected);
            if (expected.size() <= 2 && params.temperature() > 1) {
                assertThat(seen).hasSameElementsAs(expected);
            }
        }
    }

    /// Top-k, top-p and min-p by the book: sort all, sum all.
    private static List<Integer> kept(SamplingParams p, float[] logits) {
        var order = new ArrayList<Integer>();
        for (int i = 0; i < logits.length; i++) {
            order.add(i);
        }
        order.sort(Comparator.<Integer>comparingDouble(i -> -logits[i]).thenComparingInt(i -> i));
        List<Integer> kept = p.topK() > 0 ? order.subList(0, Math.min(p.topK(), order.size())) : order;
        if (p.topP() < 1) {
            double total = kept.stream().mapToDouble(i -> Math.exp(logits[i])).sum();
            double sum = 0;
            int n = 0;
            while (n < kept.size() && (n == 0 || sum / total < p.topP())) {
                sum += Math.exp(logits[kept.get(n++)]);
            }
            kept = kept.subList(0, n);
        }
        double least = Math.exp(logits[order.getFirst()]) * p.minP();
        return kept.stream()
                .filter(i -> Math.exp(logits[i]) >= least * (1 - 1e-6))
                .toList();
    }

    @Test
    void topOfManyIsSorted() {
        var random = new Random(5);
        float[] logits = new float[262_144];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        var candidates = new Candidates();
        candidates.top(logits, 0, logits.length, 100);
        float[] sorted = logits.clone();
        Arrays.sort(sorted);
        for (int i = 0; i < 100; i++) {
            assertThat(candidates.logit(i)).isEqualTo(sorted[sorted.length - 1 - i]);
            assertThat(logits[candidates.id(i)]).isEqualTo(candidates.logit(i));
        }
        assertThat(candidates.size()).isEqualTo(100);
    }

    @Test
    void theSameSeedGivesTheSameTokens() {
        var logits = new float[1_000];
        var random = new Random(3);
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        var a = new Sampler(PLAIN);
        var b = new Sampler(PLAIN);
        var c = new Sampler(PLAIN.withSeed(8));
        int differs = 0;
        for (int i = 0; i < 100; i++) {
            int token = a.sample(logits, 0, logits.length);
            assertThat(b.sample(logits, 0, logits.length)).isEqualTo(token);
            differs += c.sample(logits, 0, logits.length) == token ? 0 : 1;
        }
        assertThat(differs).isGreaterThan(50);
    }

    @Test
    void allocatesNothingOnceItIsWarm() {
        float[] logits = new float[20_000];
        var random = new Random(9);
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (var params : List.of(
                PLAIN,
                PLAIN.withTopP(0.9f),
                PLAIN.withTopK(40).withTopP(0.9f).withMinP(0.05f).withRepetitionPenalty(1.1f))) {
            var sampler = new Sampler(params);
            for (int i = 0; i < 3; i++) {
                sampler.accept(sampler.sample(logits, 0, logits.length));
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 20; i++) {
                sampler.accept(sampler.sample(logits, 0, logits.length));
            }
            // One array of the vocabulary's size would be 80 kB.
            assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(8_000);
        }
    }

    @Test
    void theGeneratorIsSplitMix64() {
        var ours = new CounterRandom(42);
        var theirs = new SplittableRandom(42);
        for (int i = 0; i < 100; i++) {
            assertThat(ours.nextLong()).isEqualTo(theirs.nextLong());
        }
        assertThat(new CounterRandom(-1).nextUnit()).isBetween(0.0, 1.0);
    }

    @Test
    void refusesBrokenLogits() {
        for (var params : List.of(PLAIN, SamplingParams.GREEDY)) {
            assertThatThrownBy(() -> once(params, 1, Float.NaN, 2))
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("token 1 is NaN");
            assertThatThrownBy(() -> once(params, 1, Float.POSITIVE_INFINITY))
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("infinite");
            assertThatThrownBy(() -> once(params, Float.NEGATIVE_INFINITY))
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("no token");
        }
        assertThat(support(PLAIN, 0, Float.NEGATIVE_INFINITY, 0)).containsExactly(0, 2);
    }

    @Test
    void refusesParametersOutOfRange() {
        assertThatThrownBy(() -> PLAIN.withTopP(1.5f)).hasMessageContaining("top-p must be from 0 to 1, not 1.5");
        assertThatThrownBy(() -> PLAIN.withTemperature(-1)).hasMessageContaining("temp must be from 0");
        assertThatThrownBy(() -> PLAIN.withTemperature(Float.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> PLAIN.withTopK(-1)).hasMessageContaining("top-k");
        assertThatThrownBy(() -> PLAIN.withMinP(2)).hasMessageContaining("min-p");
        assertThatThrownBy(() -> PLAIN.withRepetitionPenalty(0)).hasMessageContaining("repeat-penalty");
        assertThatThrownBy(() -> PLAIN.withPresencePenalty(1e9f)).hasMessageContaining("presence-penalty");
        assertThatThrownBy(() -> PLAIN.withPenaltyWindow(-2)).hasMessageContaining("repeat-last-n");
    }

    @Test
    void takesDefaultsFromTheFile() {
        var values = Map.of(
                "general.sampling.temp", 1.0,
                "general.sampling.top_k", 64.0,
                "general.sampling.top_p", 0.95,
                "general.sampling.penalty_last_n", -1.0);
        var p = SamplingParams.defaults(
                key -> values.containsKey(key) ? OptionalDouble.of(values.get(key)) : OptionalDouble.empty());
        assertThat(p.temperature()).isEqualTo(1);
        assertThat(p.topK()).isEqualTo(64);
        assertThat(p.topP()).isCloseTo(0.95f, within(1e-6f));
        assertThat(p.minP()).isEqualTo(SamplingParams.DEFAULT.minP());
        assertThat(p.penaltyWindow()).isEqualTo(SamplingParams.MAX_PENALTY_WINDOW);
        assertThatThrownBy(() -> SamplingParams.defaults(key -> OptionalDouble.of(7)))
                .hasMessageContaining("general.sampling")
                .hasMessageContaining("top-p");
    }
}
