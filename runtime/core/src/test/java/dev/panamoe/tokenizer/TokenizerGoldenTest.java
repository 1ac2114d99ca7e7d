package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.text.Normalizer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Ids equal to those of the models' own tokenizers.
class TokenizerGoldenTest {
    /// What ends an answer, by the beginning of the fixture's name.
    private static final Map<String, String> STOPS = Map.of(
            "deepseek", "<｜end▁of▁sentence｜>",
            "gemma4", "<eos>;<turn|>;<|tool_response>",
            "gpt", "<|return|>;<|call|>;<|endoftext|>",
            "llama3", "<|eot_id|>;<|eom_id|>;<|end_of_text|>",
            "mixtral", "</s>",
            "qwen2", "<｜end▁of▁sentence｜>",
            "qwen3", "<|im_end|>;<|endoftext|>");

    @ParameterizedTest
    @ValueSource(strings = {"gemma3", "deepseek-v3", "qwen3"})
    void publishedVocabularies(String name) {
        Tokenizer tokenizer = Goldens.published(name);
        JsonNode golden = Goldens.json("tokenizers/" + name + "/cases.json");
        assertThat(tokenizer.size()).isEqualTo(golden.get("tokens").intValue());
        assertThat(golden.get("cases")).hasSizeGreaterThan(60);
        for (JsonNode c : golden.get("cases")) {
            String text = c.get("text").stringValue();
            if (name.equals("qwen3") && c.has("note")) {
                // Qwen's tokenizer composes characters first; llama.cpp does not, and neither do we.
                String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
                assertThat(tokenizer.encode(composed, true)).isEqualTo(Goldens.ints(c.get("ids")));
                assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo(text);
                continue;
            }
            checkCase(tokenizer, c);
            assertThat(tokenizer.encode(text, false)).as(text).isEqualTo(Goldens.ints(c.get("ids_control_as_text")));
        }
    }

    @ParameterizedTest
    @MethodSource("fixtureFolders")
    void fixtures(String folder) {
        Tokenizer tokenizer = Goldens.ofFixture(folder);
        JsonNode golden = Goldens.json("fixtures/" + folder + "/golden.json").get("tokenizer");
        assertThat(golden.get("cases")).isNotEmpty();
        for (JsonNode c : golden.get("cases")) {
            checkCase(tokenizer, c);
        }
        assertThat(tokenizer.stopTokens().stream().map(tokenizer::token))
                .containsExactlyInAnyOrder(
                        STOPS.getOrDefault(folder.replaceFirst("-.*", ""), "").split(";"));
        JsonNode chat = golden.get("chat");
        if (chat.has("ids")) {
            String rendered = chat.get("rendered").stringValue();
            assertThat(tokenizer.encode(rendered, true)).isEqualTo(Goldens.ints(chat.get("ids")));
        }
    }

    static List<String> fixtureFolders() {
        List<String> folders = Goldens.fixtureFolders();
        assertThat(folders).contains("gemma4-moe", "gemma4-dense", "deepseek-v3", "deepseek-v2-lite");
        return folders;
    }

    @ParameterizedTest
    @CsvSource({"tiny-gemma4-moe, heldout-chat-gemma4.jsonl", "tiny-deepseek-r1, heldout-chat-r1.jsonl"})
    void demoModels(String name, String chats) throws IOException {
        Tokenizer tokenizer = Goldens.demo(name);
        JsonNode model = Goldens.json("models/goldens.json").get("models").get(name);
        assertThat(model.get("goldens")).isNotEmpty();
        for (JsonNode golden : model.get("goldens")) {
            String prompt = golden.get("prompt").stringValue();
            assertThat(tokenizer.encode(prompt, true)).as(prompt).isEqualTo(Goldens.ints(golden.get("prompt_ids")));
        }
        // The perplexities over the held-out texts say how many tokens those are.
        JsonNode scored = model.get("perplexity").get("f32");
        List<String> lines = Files.readAllLines(Goldens.file("models/heldout.txt"));
        assertThat(lines.stream()
                        .mapToInt(line -> tokenizer.encode(line, false).length)
                        .sum())
                .isEqualTo(scored.get("lines").get("tokens").intValue());
        List<String> dialogues = Files.readAllLines(Goldens.file("models/" + chats));
        assertThat(dialogues.stream()
                        .map(line -> Goldens.jsonLine(line).get("text").stringValue())
                        .mapToInt(text -> tokenizer.encode(text, true).length - 1)
                        .sum())
                .isEqualTo(scored.get("chat").get("tokens").intValue());
    }

    @ParameterizedTest
    @CsvSource({
        "gemma3, <bos>, true, <eos>;<end_of_turn>",
        "deepseek-v3, <｜begin▁of▁sentence｜>, true, <｜end▁of▁sentence｜>;<|EOT|>",
        "qwen3, <|endoftext|>, false, <|im_end|>;<|endoftext|>",
    })
    void namedTokens(String name, String bos, boolean addBos, String stops) {
        Tokenizer tokenizer = Goldens.published(name);
        assertThat(tokenizer.bos()).isEqualTo(tokenizer.idOf(bos)).isPresent();
        assertThat(tokenizer.addBos()).isEqualTo(addBos);
        Set<String> texts = Set.of(stops.split(";"));
        assertThat(tokenizer.stopTokens().stream().map(tokenizer::token)).containsExactlyInAnyOrderElementsOf(texts);
        assertThat(tokenizer.stopTokens()).contains(tokenizer.eos().orElseThrow());
    }

    @ParameterizedTest
    @CsvSource({"tiny-gemma4-moe, <eos>;<turn|>;<|tool_response>", "tiny-deepseek-r1, <｜end▁of▁sentence｜>"})
    void stopTokensOfTheFamily(String name, String stops) {
        Tokenizer tokenizer = Goldens.demo(name);
        assertThat(tokenizer.stopTokens().stream().map(tokenizer::token))
                .containsExactlyInAnyOrderElementsOf(Set.of(stops.split(";")));
    }

    private static void checkCase(Tokenizer tokenizer, JsonNode c) {
        String text = c.get("text").stringValue();
        int[] ids = Goldens.ints(c.get("ids"));
        assertThat(tokenizer.encode(text, true)).as(text).isEqualTo(ids);
        if (c.has("ids_control_as_text")) {
            assertThat(tokenizer.encodeGuarded(tokenizer.guard(text)))
                    .as("guarded: %s", text)
                    .isEqualTo(Goldens.ints(c.get("ids_control_as_text")));
        }
        TokenStream stream = tokenizer.stream(true);
        StringBuilder decoded = new StringBuilder();
        for (int id : ids) {
            decoded.append(stream.append(id));
        }
        assertThat(decoded.append(stream.finish()).toString())
                .isEqualTo(c.get("decoded").stringValue());
    }
}
