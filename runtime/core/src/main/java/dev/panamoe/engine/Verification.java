package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Arithmetic;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Runs the same tokens through one model on two backends and measures how far they are apart: the residual stream
/// after each layer, the logits, and the greedy choices. Both read the tokens that the second backend chooses, so that
/// one different choice does not make everything after it incomparable.
public final class Verification {
    /// Most rows and logits of a forward pass here: what the first backend computed waits on the heap for the second.
    private static final int ROWS = 16;

    private static final int LOGIT_FLOATS = 1 << 21;

    private final Engine tested;
    private final Engine against;
    private final Bounds bounds;

    /// What is allowed, relative to the root mean square of the values compared, so that it serves models of any scale.
    ///
    /// @param mean of the mean absolute error
    /// @param max of the largest absolute error of the logits
    public record Bounds(double mean, double max) {
        /// Far over what float32 sums of another order leave, and far below what a wrong formula does: leaving out the
        /// least ingredient changes the logits of the fixtures by a mean of about 0.05. With keys and values stored in
        /// fewer bits, a value near the middle of two rounds either way; where two experts score nearly the same, that
        /// makes them change places, which changes a row by as much as its size, and much of the mean over few rows
        /// (1e-2 with F16 and 3.4e-2 with Q4_0 were seen over 18 rows). Activations rounded to 8 bits do the same
        /// in every product, though both backends round them: six layers of Gemma 4 26B-A4B with random weights take a
        /// mean of 7e-4 after the first layer to 1.5e-2. So F32 for both is the strict check; {@link Parity}, which
        /// compares step by step, is another.
        public static Bounds of(CacheType cache, Arithmetic arithmetic) {
            if (arithmetic == Arithmetic.INT8) {
                return new Bounds(8e-2, 1.5);
            }
            return switch (cache) {
                case F32 -> new Bounds(1e-4, 1e-2);
                case F16, BF16 -> new Bounds(2e-2, 1);
                case Q8_0, Q4_0 -> new Bounds(5e-2, 1);
            };
        }
    }

    /// How far one intermediate is apart over all rows.
    ///
    /// @param max largest absolute error
    /// @param mean mean absolute error
    /// @param rms root mean square of the second backend's values around their mean: the scale
    public record Difference(double max, double mean, double rms) {
        public double relativeMax() {
            return max == 0 ? 0 : max / rms;
        }

        public double relativeMean() {
            return mean == 0 ? 0 : mean / rms;
        }
    }

    /// One greedy step.
    ///
    /// @param tested what the first backend chooses
    /// @param against what the second chooses, and both read next
    /// @param margin by how much the second prefers its own token to the first's, in logits
    public record Step(int tested, int against, double margin) {
        public boolean agrees() {
            return tested == against;
        }
    }

    /// @param layers the residual stream after each layer (`l_out`)
    /// @param logits of every position
    /// @param steps greedy choices, the first one after the prompt
    public record Report(
            int promptTokens, List<Difference> layers, Difference logits, List<Step> steps, Bounds bounds) {
        public Report {
            layers = List.copyOf(layers);
            steps = List.copyOf(steps);
        }

        public long agreeing() {
            return steps.stream().filter(Step::agrees).count();
        }

        /// Whether a layer is within bounds.
        public boolean isSound(Difference layer) {
            return layer.relativeMean() <= bounds.mean();
        }

        public boolean logitsAreSound() {
            return isSound(logits) && logits.relativeMax() <= bounds.max();
        }

        /// Whether the choices agree, but for those between tokens that errors within bounds can swap.
        public boolean stepsAreSound() {
            return steps.stream().allMatch(s -> s.agrees() || s.margin() <= 2 * bounds.max() * logits.rms());
        }

        public boolean isSound() {
            return layers.stream().allMatch(this::isSound) && logitsAreSound() && stepsAreSound();
        }
    }

    /// @param tested the backend in question
    /// @param against the one that defines the result; of the same model
    public Verification(Engine tested, Engine against, Bounds bounds) {
        this.tested = tested;
        this.against = against;
        this.bounds = bounds;
    }

    /// @param prompt at least one token
    /// @param steps greedy steps after the prompt, at least 1
    /// @throws PanamoeException when the prompt and the steps do not fit the context
    public Report run(int[] prompt, int steps) {
        ModelSpec spec = tested.spec();
        long length = prompt.length - 1L + steps;
        Engine.checkTokens(prompt, tested.spec().vocabulary());
        if (length > tested.contextLength()) {
            throw new PanamoeException("the prompt and " + steps + " steps take " + length
                    + " positions, but the context holds " + tested.contextLength() + "; use a larger --ctx");
        }
        int total = (int) length;
        int rows = Math.min(
                Math.min(prompt.length, Math.clamp(LOGIT_FLOATS / spec.vocabulary(), 1, ROWS)),
                Math.min(tested.maxRows(), against.maxRows()));
        try (Side a = new Side(tested, total, rows);
                Side b = new Side(against, total, rows)) {
            List<Sum> layers = new ArrayList<>();
            spec.layers().forEach(layer -> layers.add(new Sum()));
            Sum logits = new Sum();
            List<Step> choices = new ArrayList<>();
            int[] tokens = prompt;
            for (int position = 0; position < total; ) {
                int from = position < prompt.length ? position : 0;
                int n = position < prompt.length ? Math.min(rows, prompt.length - position) : 1;
                a.forward(tokens, from, n, position);
                b.forward(tokens, from, n, position);
                for (int i = 0; i < layers.size(); i++) {
                    layers.get(i).add(a.states.get(i), b.states.get(i), b.states.get(i).length);
                }
                logits.add(a.logits, b.logits, n * spec.vocabulary());
                position += n;
                if (position >= prompt.length) {
                    Step step = choose(a.lastLogits(n), b.lastLogits(n));
                    choices.add(step);
                    tokens = new int[] {step.against()};
                }
            }
            return new Report(
                    prompt.length, layers.stream().map(Sum::difference).toList(), logits.difference(), choices, bounds);
        }
    }

    private static Step choose(float[] tested, float[] against) {
        int ours = Logits.argMax(tested, tested.length);
        int theirs = Logits.argMax(against, against.length);
        return new Step(ours, theirs, against[theirs] - (double) against[ours]);
    }

    /// One of the two: its sequence, and what it left in the latest pass.
    private static final class Side implements AutoCloseable {
        private final Engine engine;
        private final Caches caches;
        private final List<float[]> states = new ArrayList<>();

        /// (rows, vocabulary)
        private final float[] logits;

        Side(Engine engine, int positions, int rows) {
            this.engine = engine;
            this.caches = engine.newCaches(positions);
            this.logits = new float[rows * engine.spec().vocabulary()];
        }

        /// Leaves the states and the logits of all rows. They are read while the engine is held: another session may
        /// compute with it as soon as it is not.
        void forward(int[] tokens, int from, int count, int position) {
            states.clear();
            engine.run(runner -> {
                runner.forward(caches, tokens, from, count, position, (name, layer, rows) -> {
                    if (name.equals("l_out")) {
                        states.add(engine.read(rows));
                    }
                });
                runner.logits(0, count, logits, 0, Tap.NONE);
            });
        }

        /// Logits of the last of `count` rows.
        float[] lastLogits(int count) {
            int width = engine.spec().vocabulary();
            return Arrays.copyOfRange(logits, (count - 1) * width, count * width);
        }

        @Override
        public void close() {
            engine.close(caches);
        }
    }

    /// Differences over many rows.
    private static final class Sum {
        private double max;
        private double absolute;
        private double values;
        private double squares;
        private long count;

        void add(float[] tested, float[] against, int size) {
            for (int i = 0; i < size; i++) {
                double d = Math.abs((double) tested[i] - against[i]);
                // A NaN on either side is as wrong as can be; Math.max would keep it, and no bound compares with it.
                double error = Double.isNaN(d) ? Double.POSITIVE_INFINITY : d;
                max = Math.max(max, error);
                absolute += error;
                values += against[i];
                squares += (double) against[i] * against[i];
            }
            count += size;
        }

        Difference difference() {
            double mean = values / count;
            return new Difference(max, absolute / count, Math.sqrt(Math.max(0, squares / count - mean * mean)));
        }
    }
}
