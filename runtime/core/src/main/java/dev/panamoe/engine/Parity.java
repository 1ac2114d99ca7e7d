package dev.panamoe.engine;

import dev.panamoe.model.Caches;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
import java.util.Arrays;
import java.util.Random;

/// Whether a backend's logits are the reference's, as far as its arithmetic allows: the gate before a benchmark, which
/// says that what is timed is the model and not something else. It takes a few tokens, because the reference is slow;
/// {@link Verification} looks closer.
public final class Parity {
    /// The same for every model, so that a result can be seen again.
    private static final long SEED = 20260101;

    private final float[][] right;

    /// How far the logits are apart.
    ///
    /// @param difference of each token: the root mean square of the error relative to that of the reference's logits
    ///     around their mean; of all tokens the median
    /// @param bound most that it may be
    public record Result(double difference, double bound) {
        public boolean isSound() {
            return difference <= bound;
        }
    }

    private Parity(float[][] right) {
        this.right = right;
    }

    /// Computes the logits to compare with.
    ///
    /// @param tokens how many, at least 1
    public static Parity of(Engine reference, int tokens) {
        return new Parity(logits(reference, tokens));
    }

    /// Compares another backend of the same model.
    public Result check(Engine tested) {
        return compare(
                logits(tested, right.length),
                right,
                bound(tested.arithmetic(), tested.options().cacheType()));
    }

    /// All but the last token in one pass, and that one alone: kernels for many rows and for one.
    private static float[][] logits(Engine engine, int count) {
        int width = engine.spec().vocabulary();
        int[] tokens =
                new Random(SEED).ints(count, 0, engine.tokenizer().size()).toArray();
        float[][] all = new float[count][width];
        try (Caches caches = engine.newCaches(count)) {
            for (int at = 0; at < count; ) {
                int n = at == count - 1 ? 1 : Math.min(count - 1 - at, engine.maxRows());
                Runner runner = engine.acquire();
                try {
                    runner.forward(caches, tokens, at, n, at, Tap.NONE);
                    for (int i = 0; i < n; i++) {
                        runner.logits(i, 1, all[at + i], 0, Tap.NONE);
                    }
                } finally {
                    engine.release();
                }
                at += n;
            }
        }
        return all;
    }

    /// Far over what sums of another order leave, and far below what a wrong formula does in a model of some layers. A
    /// median serves because rounding may make two experts change places, which changes a row by as much as its size,
    /// but not most rows. The one for 8 bits is 1.5 times the most that another engine's 8-bit activations did to small
    /// models with random weights, which are the worst case.
    static double bound(Arithmetic arithmetic, CacheType cache) {
        double stored = switch (cache) {
            case F32 -> 1e-3;
            case F16, BF16 -> 2e-2;
            case Q8_0, Q4_0 -> 1e-1;
        };
        return switch (arithmetic) {
            case F32 -> stored;
            case INT8 -> Math.max(stored, 0.12);
        };
    }

    /// @param tested (tokens, vocabulary)
    /// @param right (tokens, vocabulary)
    static Result compare(float[][] tested, float[][] right, double bound) {
        double[] differences = new double[right.length];
        for (int t = 0; t < right.length; t++) {
            differences[t] = difference(tested[t], right[t]);
        }
        Arrays.sort(differences);
        double worst = differences[differences.length - 1]; // NaN counts as the greatest
        return new Result(Double.isFinite(worst) ? differences[differences.length / 2] : worst, bound);
    }

    private static double difference(float[] tested, float[] right) {
        double mean = 0;
        for (float r : right) {
            mean += r / (double) right.length;
        }
        double errors = 0;
        double squares = 0;
        for (int i = 0; i < right.length; i++) {
            double error = (double) tested[i] - right[i];
            errors += error * error;
            squares += (right[i] - mean) * (right[i] - mean);
        }
        return errors == 0 ? 0 : Math.sqrt(errors / squares);
    }
}
