package dev.panamoe.grammar;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/// Times the masks of an answer over a vocabulary of 262,144 tokens: JSON mode, and a schema with a bounded string. No
/// test; the command is in `runtime/docs/measurements.md`.
final class MaskBenchmark {
    private static final int RUNS = 12;
    private static final String ANSWER = "{\"name\": \"Zoë 漢字 The quick brown fox jumps over it\", \"short\":"
            + " \"the lazy dog sleeps under a tree and dreams\", \"n\": 417, \"tags\": [\"one two\", \"three\"]}";
    private static final String SCHEMA = """
            {"type": "object", "properties": {"name": {"type": "string"}, "short": {"type": "string", "maxLength": 80},
             "n": {"type": "integer", "minimum": 0, "maximum": 500},
             "tags": {"type": "array", "items": {"type": "string"}}},
             "required": ["name", "short", "n", "tags"], "additionalProperties": false}
            """;

    private MaskBenchmark() {}

    /// No arguments.
    public static void main(String[] args) {
        Tokenizer tokenizer = Vocabularies.large();
        long start = System.nanoTime();
        TokenTrie trie = TokenTrie.of(tokenizer, Set.of());
        System.out.printf(Locale.ROOT, "trie %.0f ms%n", (System.nanoTime() - start) / 1e6);
        time("JSON mode", JsonSchema.anyObject(), trie, tokenizer);
        time("schema", JsonSchema.toGrammar(SCHEMA, "schema"), trie, tokenizer);
    }

    /// Every run has caches of its own, as every answer has.
    private static void time(String name, Grammar grammar, TokenTrie trie, Tokenizer tokenizer) {
        int[] tokens = tokenizer.encode(ANSWER, false);
        float[] logits = new float[tokenizer.size()];
        for (int run = 0; run < RUNS; run++) {
            var constraint = new GrammarConstraint(grammar, trie, tokenizer.stopTokens());
            double[] millis = new double[tokens.length];
            for (int i = 0; i < tokens.length; i++) {
                Arrays.fill(logits, 0);
                long start = System.nanoTime();
                constraint.mask(logits, logits.length);
                millis[i] = (System.nanoTime() - start) / 1e6;
                constraint.accept(tokens[i]);
            }
            Arrays.sort(millis);
            System.out.printf(
                    Locale.ROOT,
                    "%s, run %d: %d masks, median %.3f ms, nine tenths below %.3f, worst %.2f%n",
                    name,
                    run,
                    millis.length,
                    millis[millis.length / 2],
                    millis[millis.length * 9 / 10],
                    millis[millis.length - 1]);
        }
    }
}
