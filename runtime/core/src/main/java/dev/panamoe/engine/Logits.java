package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.model.Tap;
import dev.panamoe.spi.Rows;

/// What a model computes for given tokens, for comparing it with other implementations: the logits of every position
/// and the residual stream.
public final class Logits {
    /// Rows of a forward pass, and logits read at once: a vocabulary can be wide.
    private static final int ROWS = 64;

    private static final int LOGIT_FLOATS = 1 << 20;

    private final Engine engine;
    private final int[] tokens;

    /// Takes results as they are computed. The arrays are valid during the call only.
    public interface Target {
        /// Logits of the positions that follow those of the call before.
        ///
        /// @param values (rows, vocabulary), contiguous
        /// @param count how many of the values there are: rows * vocabulary
        void logits(float[] values, int count);

        /// Whether {@link #state} is to be called.
        boolean wantsStates();

        /// The residual stream of some positions.
        ///
        /// @param state 0 the input of layer 0, `1 + i` the output of layer `i`, then the output of the last norm
        /// @param first position of the first row
        /// @param width of a row: the embedding
        /// @param values (rows, width), contiguous
        void state(int state, int first, int width, float[] values);
    }

    /// @param tokens what the model reads, from position 0 on
    /// @throws PanamoeException when there are none, one is not in the vocabulary, or they do not fit the context
    public Logits(Engine engine, int[] tokens) {
        Engine.checkTokens(tokens, engine.spec().vocabulary());
        if (tokens.length > engine.contextLength()) {
            throw new PanamoeException(tokens.length + " tokens do not fit the context of " + engine.contextLength()
                    + " positions; use a larger --ctx");
        }
        this.engine = engine;
        this.tokens = tokens.clone();
    }

    /// Computes everything. Other sessions of the engine take their turns between forward passes, and wait while the
    /// target is called.
    public void run(Target target) {
        int vocabulary = engine.spec().vocabulary();
        int rows = Math.min(tokens.length, Math.min(ROWS, engine.maxRows()));
        int rowsAtOnce = Math.clamp(LOGIT_FLOATS / vocabulary, 1, rows);
        float[] logits = new float[rowsAtOnce * vocabulary];
        engine.withCaches(tokens.length, caches -> {
            for (int at = 0; at < tokens.length; at += rows) {
                int n = Math.min(rows, tokens.length - at);
                Tap tap = target.wantsStates() ? new States(engine, target, at) : Tap.NONE;
                int from = at;
                engine.run(runner -> {
                    runner.forward(caches, tokens, from, n, from, tap);
                    for (int row = 0; row < n; row += rowsAtOnce) {
                        int count = Math.min(rowsAtOnce, n - row);
                        runner.logits(row, count, logits, 0, tap);
                        target.logits(logits, count * vocabulary);
                    }
                });
            }
        });
    }

    /// The likeliest of `count` tokens, the lowest of equals.
    static int argMax(float[] logits, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /// Hands the residual stream of one forward pass on.
    private static final class States implements Tap {
        private final Engine engine;
        private final Target target;
        private final int first;

        /// The last norm comes with the logits, a few rows at a time and in order.
        private int normed;

        States(Engine engine, Target target, int first) {
            this.engine = engine;
            this.target = target;
            this.first = first;
        }

        @Override
        public void see(String name, int layer, Rows rows) {
            switch (name) {
                case "inp_embd" -> target.state(0, first, rows.cols(), engine.read(rows));
                case "l_out" -> target.state(1 + layer, first, rows.cols(), engine.read(rows));
                case "result_norm" -> {
                    int state = 1 + engine.spec().layers().size();
                    target.state(state, first + normed, rows.cols(), engine.read(rows));
                    normed += rows.rows();
                }
                default -> {}
            }
        }
    }
}
