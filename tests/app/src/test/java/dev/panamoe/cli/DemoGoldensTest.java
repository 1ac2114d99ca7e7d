package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.chat.ChatMessage;
import dev.panamoe.engine.Completion;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.FinishReason;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.Session;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.DeviceOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;

/// The demo models answer as transformers has them answer, to the end of each answer: every prompt of the goldens, from
/// the messages through the template and the tokenizer to the ids. Caches are F32, as the goldens are exact arithmetic.
class DemoGoldensTest {
    @ParameterizedTest
    @CsvSource({"demo:gemma4, tiny-gemma4-moe, 26", "demo:deepseek, tiny-deepseek-r1, 25"})
    void greedyAnswers(String demo, String name, int count) {
        JsonNode goldens = Cli.JSON
                .readTree(Cli.DATA.resolve("models/goldens.json").toFile())
                .get("models")
                .get(name)
                .get("goldens");
        assertThat(goldens.size()).isEqualTo(count);
        EngineOptions exact = EngineOptions.DEFAULT
                .withCacheType(CacheType.F32)
                .withDevice(DeviceOptions.DEFAULT.withActivations(DeviceOptions.Activations.F32));
        try (Engine engine = Engine.open(demo, exact);
                Session session = engine.newSession()) {
            for (JsonNode golden : goldens) {
                check(engine, session, golden);
            }
        }
    }

    private static void check(Engine engine, Session session, JsonNode golden) {
        List<Integer> want = Cli.JSON.convertValue(golden.get("greedy_ids"), new TypeReference<List<Integer>>() {});
        GenerationOptions options = GenerationOptions.of(SamplingParams.GREEDY).withMaxTokens(want.size());
        String prompt = golden.get("prompt").asString();
        int[] ids = Cli.ints(golden.get("prompt_ids"));
        assertThat(engine.tokenizer().encode(prompt, true)).isEqualTo(ids);
        Completion answer = golden.get("messages").isNull()
                ? session.complete(prompt, options, delta -> {})
                : conversation(engine, session, golden, options);
        JsonNode end = golden.get("tokens_until_eog");
        assertThat(answer.tokens()).as(prompt).isEqualTo(end.isNull() ? want : want.subList(0, end.asInt()));
        assertThat(answer.usage().prompt()).isEqualTo(ids.length);
        assertThat(answer.finishReason()).isEqualTo(end.isNull() ? FinishReason.LENGTH : FinishReason.STOP);
    }

    private static Completion conversation(Engine engine, Session session, JsonNode golden, GenerationOptions options) {
        Map<String, Object> variables = new HashMap<>();
        golden.get("template_variables")
                .forEachEntry((key, value) -> variables.put(key, Cli.JSON.convertValue(value, Object.class)));
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode m : golden.get("messages")) {
            messages.add(
                    new ChatMessage(m.get("role").asString(), m.get("content").asString()));
        }
        assertThat(engine.chatFormat().render(messages, true, variables))
                .isEqualTo(golden.get("prompt").asString());
        return session.answer(messages, variables, options, delta -> {});
    }
}
