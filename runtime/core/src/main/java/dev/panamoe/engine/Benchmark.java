package dev.panamoe.engine;

import dev.panamoe.model.Caches;
import dev.panamoe.model.Tap;
import java.util.Random;

/// Times forward passes over random tokens. There is no sampler and no text in it: a prompt is passed in chunks of as
/// many rows as the engine takes and ends with the logits of its last token; generation passes one given token after
/// the other and reads the logits of each, or the likeliest token where that is less. The tokens are the same for the
/// same seed and vocabulary.
public final class Benchmark implements AutoCloseable {
    private final Engine engine;
    private Caches caches;
    private final int[] tokens;
    private final float[] logits;
    private final int[] best = new int[1];

    /// One more than the highest position whose keys and values are stored.
    private int written;

    /// What is timed.
    ///
    /// @param generation tokens one by one; otherwise as a prompt
    /// @param tokens how many
    /// @param depth tokens that the context holds before
    public record Test(boolean generation, int tokens, int depth) {
        public Test {
            if (tokens < 1 || depth < 0) {
                throw new IllegalArgumentException(tokens + " tokens at a depth of " + depth);
            }
        }

        /// `pp512`, `tg128`.
        public String name() {
            return (generation ? "tg" : "pp") + tokens;
        }

        /// Positions of the context that it needs.
        public long positions() {
            return (long) depth + tokens;
        }
    }

    /// @param positions of the deepest test
    /// @param seed of the tokens
    /// @throws dev.panamoe.PanamoeException when there is no memory for keys and values
    public Benchmark(Engine engine, int positions, long seed) {
        this.engine = engine;
        this.caches = engine.newCaches(positions);
        this.tokens =
                new Random(seed).ints(positions, 0, engine.tokenizer().size()).toArray();
        this.logits = new float[engine.spec().vocabulary()];
    }

    /// Most rows of a forward pass.
    public int rows() {
        return engine.maxRows();
    }

    /// Fills the context up to the test's depth, then does the test.
    ///
    /// @return the time of the test alone, in nanoseconds
    public long run(Test test) {
        prepare(test);
        long start = System.nanoTime();
        if (test.generation()) {
            for (int i = 0; i < test.tokens(); i++) {
                pass(test.depth() + i, 1, true);
            }
        } else {
            int end = test.depth() + test.tokens();
            for (int at = test.depth(); at < end; ) {
                int n = Math.min(rows(), end - at);
                pass(at, n, at + n == end);
                at += n;
            }
        }
        return System.nanoTime() - start;
    }

    /// Fills the context up to the test's depth. A token has its place in the context, so what an earlier test stored
    /// is used again, unless a ring has overwritten it or it was lost with its device.
    public void prepare(Test test) {
        if (!engine.holds(caches)) {
            caches = engine.renew(caches);
            written = 0;
        }
        int depth = test.depth();
        int at = depth <= written && written - depth <= caches.rewindable() ? depth : 0;
        if (at == 0) {
            written = 0;
        }
        while (at < depth) {
            int n = Math.min(rows(), depth - at);
            pass(at, n, false);
            at += n;
        }
    }

    private void pass(int from, int count, boolean last) {
        engine.run(runner -> {
            runner.forward(caches, tokens, from, count, from, Tap.NONE);
            if (last) {
                // What an answer reads of the likeliest token is what is read here.
                if (engine.prefersTopK()) {
                    runner.topTokens(count - 1, engine.tokenizer().size(), 1, best, logits);
                } else {
                    runner.logits(count - 1, 1, logits, 0, Tap.NONE);
                }
            }
        });
        written = Math.max(written, from + count);
    }

    /// Frees the keys and values.
    @Override
    public void close() {
        engine.close(caches);
    }
}
