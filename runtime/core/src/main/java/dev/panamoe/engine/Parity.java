package dev.panamoe.engine;

import dev.panamoe.model.Caches;
import dev.panamoe.model.Tap;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Rows;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/// Whether a backend computes what the reference does: the gate before a benchmark, which says that what is timed is
/// the model and not something else. It takes a few tokens, because the reference is slow.
///
/// The two go in step: every intermediate of the forward page that a {@link Tap} sees is compared, and the reference
/// goes on with the tested backend's. So what is compared was made of the same numbers, and a right backend is as close
/// in a deep model as in a small one. Left to themselves two right backends drift apart, because a difference in the
/// last bit of a float makes a value round the other way where activations, keys or values are rounded to few bits, and
/// so becomes a larger one before the next product, until experts change places. {@link Verification} shows that.
public final class Parity {
    /// The same for every model, so that a result can be seen again.
    private static final long SEED = 20260101;

    /// Most rows of a pass: its intermediates wait on the heap for the reference.
    private static final int ROWS = 16;

    private final int count;
    private final Function<Activations, Engine> references;
    private final Map<Long, Result> known = new HashMap<>();

    /// How far the intermediates are apart.
    ///
    /// @param difference the root mean square of the error of a token's values, relative to that of the reference's:
    ///     the largest of all tokens and intermediates
    /// @param where the intermediate, layer and token of it
    /// @param bound most that it may be
    public record Result(double difference, String where, double bound) {
        public boolean isSound() {
            return difference <= bound;
        }
    }

    /// An intermediate of tokens `first` to `first + n - 1`, as many rows of each as it has.
    @FunctionalInterface
    private interface Observer {
        void see(String name, int first, int n, Rows rows);
    }

    /// @param count tokens to compare, at least 1
    /// @param references opens the reference with the model and the cache type of the engines to check and with the
    ///     activations that it is given; it is closed here
    public Parity(int count, Function<Activations, Engine> references) {
        this.count = count;
        this.references = references;
    }

    /// Compares a backend of the model with the reference, which rounds activations if the backend does.
    public Result check(Engine tested) {
        // Kernels that give the same bits, on any number of threads, need the slow reference only once.
        long digest = digest(tested);
        Result result = known.get(digest);
        if (result == null) {
            try (Engine reference = references.apply(Activations.of(tested.arithmetic()))) {
                result = inStep(tested, reference);
            }
            known.put(digest, result);
        }
        return result;
    }

    /// Of all intermediates, bit by bit.
    private long digest(Engine engine) {
        long[] digest = {1};
        engine.withCaches(count, caches -> {
            for (int at = 0; at < count; at += rows(at, engine.maxRows())) {
                pass(engine, caches, at, rows(at, engine.maxRows()), (name, first, n, rows) -> {
                    for (float value : engine.read(rows)) {
                        digest[0] = 31 * digest[0] + Float.floatToRawIntBits(value);
                    }
                });
            }
        });
        return digest[0];
    }

    private Result inStep(Engine tested, Engine reference) {
        Worst worst = new Worst();
        Deque<float[]> waiting = new ArrayDeque<>();
        int most = Math.min(tested.maxRows(), reference.maxRows());
        tested.withCaches(
                count,
                ours -> reference.withCaches(count, theirs -> {
                    for (int at = 0; at < count; at += rows(at, most)) {
                        pass(
                                tested,
                                ours,
                                at,
                                rows(at, most),
                                (name, first, n, rows) -> waiting.add(tested.read(rows)));
                        pass(reference, theirs, at, rows(at, most), (name, first, n, rows) -> {
                            float[] values = waiting.remove();
                            worst.add(name, first, n, values, reference.read(rows));
                            reference.write(rows, values);
                        });
                    }
                }));
        return new Result(worst.difference, worst.where, bound(tested.arithmetic()));
    }

    /// Rows of the pass that begins with token `at`. The last token is alone: there are kernels for many rows and for
    /// one.
    private int rows(int at, int most) {
        return at == count - 1 ? 1 : Math.min(count - 1 - at, Math.min(most, ROWS));
    }

    private void pass(Engine engine, Caches caches, int at, int n, Observer observer) {
        int[] tokens =
                new Random(SEED).ints(count, 0, engine.tokenizer().size()).toArray();
        float[] logits = new float[engine.spec().vocabulary()];
        engine.run(runner -> {
            runner.forward(caches, tokens, at, n, at, tap(at, n, observer));
            for (int i = 0; i < n; i++) {
                runner.logits(i, 1, logits, 0, tap(at + i, 1, observer));
            }
        });
    }

    private static Tap tap(int first, int n, Observer observer) {
        return (name, layer, rows) ->
                observer.see(layer == Tap.NO_LAYER ? name : name + " of layer " + layer, first, n, rows);
    }

    /// Float32 sums of another order, and approximations of functions, leave some 1e-6; most wrong formulas change what
    /// they are in by more than 1e-2. With 8 bits, of the values that are rounded between two intermediates, as those
    /// inside a feed-forward are, some lie so near the middle of two steps that they round the other way. One step is
    /// 1/127 of the largest value of its block, so it changes a product by less than 1/127 of its size.
    static double bound(Arithmetic arithmetic) {
        return switch (arithmetic) {
            case F32 -> 1e-3;
            case INT8 -> 1e-2;
        };
    }

    /// The largest difference so far.
    static final class Worst {
        double difference;
        String where = "everything";

        /// @param tested (n, size), of tokens `first` to `first + n - 1`
        /// @param right (n, size)
        void add(String name, int first, int n, float[] tested, float[] right) {
            int size = right.length / n;
            for (int t = 0; t < n; t++) {
                double errors = 0;
                double squares = 0;
                for (int i = t * size; i < (t + 1) * size; i++) {
                    double error = (double) tested[i] - right[i];
                    errors += error * error;
                    squares += (double) right[i] * right[i];
                }
                double one = errors == 0 ? 0 : Math.sqrt(errors / squares);
                if (Double.compare(one, difference) > 0) { // NaN is the greatest
                    difference = one;
                    where = name + ", token " + (first + t);
                }
            }
        }
    }
}
