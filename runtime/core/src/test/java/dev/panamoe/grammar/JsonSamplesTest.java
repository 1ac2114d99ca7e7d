package dev.panamoe.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.panamoe.sampling.Sampler;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import tools.jackson.databind.json.JsonMapper;

/// Texts of a model that knows nothing: each token is drawn at random from those that the grammar allows. All of them
/// parse and are valid; the judge is networknt's validator.
class JsonSamplesTest {
    private static final JsonMapper JSON = new JsonMapper();
    /// How many times as many samples: 1 is what a build bears.
    private static final int TIMES = Integer.getInteger("samples", 1);

    private static final SchemaRegistry JUDGE = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    /// Draws tokens until the text is complete. From the `budget`-th on, what closes is preferred.
    private static final class Writer {
        private final Tokenizer tokenizer;
        private final TokenTrie trie;
        private final Random random;
        private final float[] noise;
        private final int[] closing;
        private final Sampler sampler;

        Writer(Tokenizer tokenizer, long seed) {
            this.tokenizer = tokenizer;
            trie = TokenTrie.of(tokenizer, java.util.Set.of());
            random = new Random(seed);
            sampler = new Sampler(SamplingParams.DEFAULT.withSeed(seed).withTopK(0));
            noise = new float[2 * tokenizer.size()];
            for (int i = 0; i < noise.length; i++) {
                noise[i] = (float) random.nextGaussian() * 3;
            }
            closing = IntStream.range(0, tokenizer.size())
                    .filter(id -> !tokenizer.isControl(id)
                            && List.of("\"", "}", "]", "0", "b", "null")
                                    .contains(new String(tokenizer.bytes(id), java.nio.charset.StandardCharsets.UTF_8)))
                    .toArray();
        }

        String write(Grammar grammar, int budget) {
            var constraint = new GrammarConstraint(grammar, trie, tokenizer.stopTokens());
            var stream = tokenizer.stream(false);
            var text = new StringBuilder();
            for (int i = 0; i < 20_000; i++) {
                int token = -1;
                if (i >= budget) {
                    token = constraint.mayEnd()
                            ? tokenizer.stopTokens().iterator().next()
                            : close(constraint);
                }
                if (token < 0) {
                    token = sampler.sample(
                            noise, random.nextInt(tokenizer.size()), tokenizer.size(), Optional.of(constraint));
                }
                assertThat(constraint.allows(token)).isTrue();
                if (tokenizer.stopTokens().contains(token)) {
                    return text.append(stream.finish()).toString();
                }
                constraint.accept(token);
                text.append(stream.append(token));
                if (constraint.isComplete()) {
                    return text.append(stream.finish()).toString();
                }
            }
            throw new AssertionError("no end: " + text);
        }

        private int close(GrammarConstraint constraint) {
            if (random.nextInt(12) == 0) {
                return -1;
            }
            // Whether a quote ends a string or begins one is not to be seen, but brackets always close.
            int[] allowed = IntStream.of(closing).filter(constraint::allows).toArray();
            return allowed.length == 0 ? -1 : allowed[random.nextInt(allowed.length)];
        }
    }

    private static void judge(String schema, Schema judge, String json) {
        JSON.readTree(json);
        // Beyond the specification, the judge knows which top-level domains there are.
        boolean formats = !schema.contains("\"email\"");
        assertThat(judge.validate(
                        json, InputFormat.JSON, c -> c.executionConfig(x -> x.formatAssertionsEnabled(formats))))
                .as("%s by %s", json, schema)
                .isEmpty();
    }

    @Test
    void everySampleOfTheTableIsValid() {
        var writer = new Writer(Vocabularies.small(), 1);
        for (Arguments row : JsonSchemaTest.schemas()) {
            String schema = (String) row.get()[0];
            Grammar grammar = JsonSchema.toGrammar(schema, "s");
            Schema judge = JUDGE.getSchema(schema, InputFormat.JSON);
            for (int i = 0; i < 10 * TIMES; i++) {
                judge(schema, judge, writer.write(grammar, 30));
            }
        }
    }

    @Test
    void everySampleOfRandomSchemasIsValid() {
        var writer = new Writer(Vocabularies.small(), 2);
        var random = new Random(3);
        for (int i = 0; i < 80 * TIMES; i++) {
            String schema = RandomSchema.next(random);
            Grammar grammar = JsonSchema.toGrammar(schema, "s");
            Schema judge = JUDGE.getSchema(schema, InputFormat.JSON);
            for (int j = 0; j < 6; j++) {
                judge(schema, judge, writer.write(grammar, 60));
            }
        }
    }

    @Test
    void everySampleInJsonModeIsAnObject() {
        var writer = new Writer(Vocabularies.small(), 4);
        Grammar grammar = JsonSchema.anyObject();
        for (int i = 0; i < 120 * TIMES; i++) {
            assertThat(JSON.readTree(writer.write(grammar, 60)).isObject()).isTrue();
        }
    }

    @Test
    void theLargeVocabularyToo() {
        var writer = new Writer(Vocabularies.large(), 5);
        String schema = RandomSchema.next(new Random(11));
        Schema judge = JUDGE.getSchema(schema, InputFormat.JSON);
        Grammar grammar = JsonSchema.toGrammar(schema, "s");
        Grammar object = JsonSchema.anyObject();
        for (int i = 0; i < 2 * TIMES; i++) {
            judge(schema, judge, writer.write(grammar, 25));
            assertThat(JSON.readTree(writer.write(object, 25)).isObject()).isTrue();
        }
    }
}
