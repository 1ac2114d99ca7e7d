package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Turns texts into vectors: the output of the last norm, pooled over the tokens of a text. Each text is a sequence of
/// its own. A vector depends on its text only, bit for bit, and not on how the sequence was cut into forward passes.
/// Not for use by several threads at once; other sessions of the engine take their turns between forward passes.
///
/// ```java
/// try (Engine engine = Engine.open(Path.of("model.gguf"));
///         Embedder embedder = engine.newEmbedder(EmbeddingOptions.DEFAULT)) {
///     float[] vector = embedder.embed("a text").vector();
/// }
/// ```
public final class Embedder implements AutoCloseable {
    /// Hidden states read at once.
    private static final int ROWS = 64;

    private final Engine engine;
    private final EmbeddingOptions options;
    private final Pooling pooling;
    private final int width;
    private final int rowsAtOnce;
    private final float[] states; // (rowsAtOnce, width)

    /// Not final: they are lost with their device.
    private Caches caches;

    Embedder(Engine engine, EmbeddingOptions options) {
        this.engine = engine;
        this.options = options;
        this.pooling = options.pooling()
                .orElseGet(() -> Pooling.of(engine.metadata(), engine.spec().architecture()));
        this.width = engine.spec().embedding();
        this.rowsAtOnce = pooling == Pooling.MEAN ? Math.min(ROWS, engine.maxRows()) : 1;
        this.states = new float[rowsAtOnce * width];
        this.caches = engine.newCaches(engine.contextLength());
    }

    /// The file's own, unless the options name another.
    public Pooling pooling() {
        return pooling;
    }

    /// Embeds one text, see {@link #embed(List)}.
    public Embedding embed(String text) {
        return embed(List.of(text)).getFirst();
    }

    /// Embeds texts, in their order. Control tokens in them are text; what the model wants at the beginning and at the
    /// end of a document is put there. All texts are checked before the first is computed.
    ///
    /// @throws PanamoeException when a text is empty, or has more tokens than the context and may not be truncated
    public List<Embedding> embed(List<String> texts) {
        List<int[]> documents = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            documents.add(document(texts.get(i), texts.size() == 1 ? "the text" : "text " + (i + 1)));
        }
        List<Embedding> embeddings = new ArrayList<>();
        for (int[] document : documents) {
            embeddings.add(embed(document));
        }
        return embeddings;
    }

    private int[] document(String text, String name) {
        if (text.isEmpty()) {
            throw new PanamoeException(name + " is empty; give something to embed");
        }
        int[] whole = engine.tokenizer().withBosAndEos(engine.tokenizer().encode(text, false));
        if (whole.length > engine.contextLength() && !options.truncate()) {
            throw new PanamoeException(name + " has " + whole.length + " tokens, but the context holds "
                    + engine.contextLength() + "; use a larger --ctx, a shorter text or --truncate");
        }
        return whole;
    }

    /// Embeds token ids as they are; what is beyond the context is cut off if the options allow that, but for a token
    /// that ends a document.
    ///
    /// @throws PanamoeException when there are none, one is not in the vocabulary, or they do not fit the context
    public Embedding embed(int[] tokens) {
        Engine.checkTokens(tokens, engine.spec().vocabulary());
        int most = engine.contextLength();
        boolean cut = tokens.length > most;
        if (cut && !options.truncate()) {
            throw new PanamoeException(
                    tokens.length + " tokens do not fit the context of " + most + " positions; use a larger --ctx");
        }
        int[] read = cut ? Arrays.copyOf(tokens, most) : tokens;
        int last = tokens[tokens.length - 1];
        if (cut
                && engine.tokenizer().addEos()
                && last == engine.tokenizer().eos().orElseThrow()) {
            read[most - 1] = last;
        }
        return new Embedding(finished(pooled(read)), read.length, cut);
    }

    /// Sums in double, position after position.
    private double[] pooled(int[] tokens) {
        double[] sum = new double[width];
        for (int at = 0; at < tokens.length; ) {
            int from = at;
            at = engine.use(runner -> pass(runner, tokens, from, sum));
        }
        if (pooling == Pooling.MEAN) {
            for (int i = 0; i < width; i++) {
                sum[i] /= tokens.length;
            }
        }
        return sum;
    }

    /// Passes tokens from `from` on through the model, from the first one on where those before are lost.
    ///
    /// @return the index behind the last of them
    private int pass(Runner runner, int[] tokens, int from, double[] sum) {
        int at = from;
        if (!engine.holds(caches)) {
            caches = engine.renew(caches);
            Arrays.fill(sum, 0);
            at = 0;
        }
        int n = Math.min(runner.maxRows(), tokens.length - at);
        runner.forward(caches, tokens, at, n, at, Tap.NONE);
        switch (pooling) {
            case MEAN -> add(runner, 0, n, sum);
            case CLS -> add(runner, 0, at == 0 ? 1 : 0, sum);
            case LAST -> add(runner, n - 1, at + n == tokens.length ? 1 : 0, sum);
        }
        return at + n;
    }

    /// Adds the hidden states of rows `from` to `from + count - 1`.
    private void add(Runner runner, int from, int count, double[] sum) {
        for (int done = 0; done < count; ) {
            int n = Math.min(rowsAtOnce, count - done);
            runner.states(from + done, n, states, 0);
            for (int i = 0; i < n * width; i++) {
                sum[i % width] += states[i];
            }
            done += n;
        }
    }

    private float[] finished(double[] vector) {
        double squares = 0;
        for (double v : vector) {
            squares += v * v;
        }
        if (!Double.isFinite(squares)) {
            throw new PanamoeException(
                    "the hidden states of the model are not finite numbers; the model file is damaged");
        }
        double scale = options.normalize() && squares > 0 ? 1 / Math.sqrt(squares) : 1;
        float[] out = new float[width];
        for (int i = 0; i < width; i++) {
            out[i] = (float) (vector[i] * scale);
        }
        return out;
    }

    /// Frees the keys and values.
    @Override
    public void close() {
        engine.close(caches);
    }
}
