package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.engine.Completion;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.FinishReason;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.Session;
import dev.panamoe.grammar.Gbnf;
import dev.panamoe.grammar.Grammar;
import dev.panamoe.grammar.JsonSchema;
import dev.panamoe.sampling.SamplingParams;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Answers that obey a grammar, of the embedded models.
class StructuredOutputTest {
    private static final String QUESTION = "What is the capital of France?";

    private static final Grammar SCHEMA = JsonSchema.toGrammar("""
            {"type": "object", "additionalProperties": false, "required": ["answer", "sure"],
             "properties": {"answer": {"type": "string", "maxLength": 30}, "sure": {"type": "boolean"}}}""", "schema");

    private static GenerationOptions options(SamplingParams sampling, Grammar grammar) {
        return GenerationOptions.of(sampling).withMaxTokens(300).withGrammar(grammar);
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo:gemma4", "demo:deepseek"})
    void contentMatchesAndReasoningIsFree(String model) {
        try (Engine engine = Engine.open(model, EngineOptions.DEFAULT);
                Session session = engine.newSession()) {
            String reasoning = session.chat(QUESTION, GenerationOptions.of(SamplingParams.GREEDY), d -> {})
                    .reasoning();
            session.reset();
            for (int seed = 0; seed < 6; seed++) {
                SamplingParams sampling = seed == 0 ? SamplingParams.GREEDY : SamplingParams.DEFAULT.withSeed(seed);
                Completion answer = session.chat(QUESTION, options(sampling, SCHEMA), d -> {});
                assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
                assertThat(SCHEMA.matches(answer.text().getBytes(StandardCharsets.UTF_8)))
                        .as(answer.text())
                        .isTrue();
                if (seed == 0) {
                    assertThat(answer.reasoning()).isEqualTo(reasoning);
                }
                session.reset();
            }
        }
    }

    @Test
    void aRawTextIsHeldFromItsFirstToken() {
        try (Engine engine = Engine.open("demo:gemma4", EngineOptions.DEFAULT);
                Session session = engine.newSession()) {
            Grammar grammar = Gbnf.parse("root ::= [xyz]{3} \"é漢\"", "g");
            for (boolean ignoreEnd : new boolean[] {false, true}) {
                Completion answer = session.complete(
                        "Once", options(SamplingParams.DEFAULT, grammar).withIgnoreEnd(ignoreEnd), d -> {});
                assertThat(answer.text()).matches("[xyz]{3}é漢");
                assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
            }
        }
    }
}
