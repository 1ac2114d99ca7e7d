package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How well a model predicts texts: exp(mean negative log-likelihood of the scored tokens). Every document is one
/// forward pass from position 0, in chunks of rows; sums run in double.
public final class Perplexity implements AutoCloseable {
    /// Tokens of a chunk of {@link #chunks512}; the second half of each is scored.
    private static final int CHUNK = 512;

    private static final int LOGIT_FLOATS = 1 << 20;

    private final Engine engine;

    /// Not final: they are lost with their device.
    private Caches caches;
    private final int rowsAtOnce;
    private final float[] logits;

    /// A text to score.
    public static final class Document {
        private final String name;
        private final int[] tokens;
        private final int from;

        /// @param name for messages
        /// @param tokens what the model reads
        /// @param from index of the first token that is scored, at least 1
        public Document(String name, int[] tokens, int from) {
            this.name = name;
            this.tokens = tokens.clone();
            this.from = from;
        }

        /// How many tokens are scored.
        public int scored() {
            return Math.max(0, tokens.length - from);
        }
    }

    /// @param nll sum of the negative natural logarithms of the probabilities
    /// @param tokens how many were scored
    public record Score(double nll, long tokens) {
        public static final Score NONE = new Score(0, 0);

        public double perplexity() {
            return Math.exp(nll / tokens);
        }

        public Score plus(Score other) {
            return new Score(nll + other.nll, tokens + other.tokens);
        }
    }

    public Perplexity(Engine engine) {
        this.engine = engine;
        this.caches = engine.newCaches(engine.contextLength());
        int vocabulary = engine.spec().vocabulary();
        this.rowsAtOnce = Math.clamp(LOGIT_FLOATS / vocabulary, 1, engine.maxRows());
        this.logits = new float[rowsAtOnce * vocabulary];
    }

    /// Every line of a text is a document: the beginning-of-sequence token if the model has one, then the tokens of
    /// the line with control tokens taken as text. Every token but the first is scored. Empty lines are left out.
    ///
    /// @param name of the text, for messages
    /// @param utf8 lines end with a line feed
    public static List<Document> lines(Tokenizer tokenizer, String name, byte[] utf8) {
        List<Document> documents = new ArrayList<>();
        int number = 0;
        for (int at = 0; at < utf8.length; ) {
            int end = at;
            while (end < utf8.length && utf8[end] != '\n') {
                end++;
            }
            number++;
            if (end > at) {
                int[] ids = tokenizer.encode(Arrays.copyOfRange(utf8, at, end), false);
                documents.add(new Document(name + " line " + number, tokenizer.withBos(ids), 1));
            }
            at = end + 1;
        }
        return documents;
    }

    /// A conversation that a chat template wrote: control tokens are recognised and nothing is added, since the text
    /// begins with what begins a sequence. Every token but the first is scored.
    public static Document chat(Tokenizer tokenizer, String name, String text) {
        return new Document(name, tokenizer.encode(text, true), 1);
    }

    /// As llama-perplexity does: all of a text, without the newline at its end, cut into chunks of 512 tokens that do
    /// not overlap; a rest is dropped. The first token of each chunk is replaced by the beginning-of-sequence token,
    /// tokens 257 to 511 are scored.
    ///
    /// @param name of the text, for messages
    /// @throws PanamoeException when the text is shorter than one chunk
    public static List<Document> chunks512(Tokenizer tokenizer, String name, byte[] utf8) {
        int end = utf8.length;
        while (end > 0 && utf8[end - 1] == '\n') {
            end--;
        }
        int[] ids = tokenizer.withBos(tokenizer.encode(Arrays.copyOf(utf8, end), false));
        if (ids.length < CHUNK) {
            throw new PanamoeException(name + ": the text has " + ids.length + " tokens, but a chunk takes " + CHUNK
                    + "; give a longer text or use another method");
        }
        List<Document> documents = new ArrayList<>();
        for (int at = 0; at + CHUNK <= ids.length; at += CHUNK) {
            int[] chunk = Arrays.copyOfRange(ids, at, at + CHUNK);
            if (tokenizer.addBos()) {
                chunk[0] = tokenizer.bos().orElseThrow();
            }
            documents.add(new Document(name + " chunk " + (documents.size() + 1), chunk, CHUNK / 2 + 1));
        }
        return documents;
    }

    /// Scores one document.
    ///
    /// @throws PanamoeException when it is longer than the context
    public Score score(Document document) {
        int[] tokens = document.tokens;
        if (document.scored() == 0) {
            return Score.NONE;
        }
        int count = tokens.length - 1; // the last token predicts nothing that is known
        if (count > caches.contextLength()) {
            throw new PanamoeException(document.name + " has " + tokens.length + " tokens, but the context holds "
                    + caches.contextLength() + "; use a larger --ctx or shorter texts");
        }
        return new Score(engine.use(runner -> nll(runner, tokens, count, document.from)), document.scored());
    }

    /// @param count tokens that are read
    /// @param first token that is scored
    private double nll(Runner runner, int[] tokens, int count, int first) {
        if (!engine.holds(caches)) {
            caches = engine.renew(caches);
        }
        double nll = 0;
        for (int at = 0; at < count; ) {
            int n = Math.min(runner.maxRows(), count - at);
            runner.forward(caches, tokens, at, n, at, Tap.NONE);
            // The logits of position p predict token p + 1.
            for (int p = Math.max(at, first - 1); p < at + n; ) {
                int rows = Math.min(rowsAtOnce, at + n - p);
                runner.logits(p - at, rows, logits, 0, Tap.NONE);
                for (int r = 0; r < rows; r++) {
                    nll -= logProbability(r, tokens[p + r + 1]);
                }
                p += rows;
            }
            at += n;
        }
        return nll;
    }

    /// Log of the softmax of a row, at a token.
    private double logProbability(int row, int token) {
        int width = engine.spec().vocabulary();
        int start = row * width;
        double max = Double.NEGATIVE_INFINITY;
        for (int i = start; i < start + width; i++) {
            max = Math.max(max, logits[i]);
        }
        double sum = 0;
        for (int i = start; i < start + width; i++) {
            sum += Math.exp(logits[i] - max);
        }
        return logits[start + token] - max - Math.log(sum);
    }

    @Override
    public void close() {
        engine.close(caches);
    }
}
