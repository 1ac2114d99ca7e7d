package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panamoe.PanamoeException;
import dev.panamoe.chat.Answers.Parsed;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.template.SharedTemplates;
import dev.panamoe.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What real templates write for an answer with calls, as the model was trained to write it, is read as these calls.
class RealToolCallsTest {
    private static final String ARGUMENTS =
            "{\"city\":\"\\\"Os}lo\\\"\\nÅ <b>\",\"days\":3,\"exact\":true,\"tags\":[\"a\",\"b,c\"],\"wind\":-1.5}";
    private static final Tool TOOL = ToolCallsTest.WEATHER;
    private static final ToolCall CALL = new ToolCall("call00001", "weather", ARGUMENTS);
    private static final ToolCall SECOND = new ToolCall("call00002", "weather", "{\"city\":\"Rome\"}");
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);

    private static ChatFormat format(String template) throws IOException {
        String name = template + ".jinja";
        return ChatFormat.of(name, Optional.of(SharedTemplates.read(name)), "", "");
    }

    private static String render(ChatFormat format, ChatMessage answer, boolean tools) {
        return format.render(
                List.of(ChatMessage.user("How is the weather?"), answer),
                tools ? List.of(TOOL) : List.of(),
                false,
                Map.of("enable_thinking", true),
                NOW,
                Guard.NONE);
    }

    private static String turn(String rendered, String assistant) {
        int at = rendered.indexOf(assistant);
        assertThat(at).as(rendered).isPositive();
        return rendered.substring(at + assistant.length());
    }

    /// The calls as parsed, with the arguments in the order of the given ones.
    private static void check(Parsed parsed, String reasoning, String content, ToolCall... calls) {
        assertThat(parsed.reasoning()).isEqualTo(reasoning);
        assertThat(parsed.content()).isEqualTo(content);
        assertThat(parsed.calls()).hasSize(calls.length);
        for (int i = 0; i < calls.length; i++) {
            String got = parsed.calls().get(i);
            assertThat(got).startsWith(calls[i].name());
            assertThat(CallJson.parse(got.substring(calls[i].name().length())))
                    .isEqualTo(CallJson.parse(calls[i].arguments()));
        }
    }

    private static WordTokenizer vocabulary(String family) {
        return switch (family) {
            case "gemma" -> ToolCallsTest.GEMMA;
            case "qwen" -> ToolCallsTest.QWEN;
            case "deepseek" -> ToolCallsTest.DEEPSEEK;
            case "llama" -> ToolCallsTest.LLAMA;
            default -> ToolCallsTest.HARMONY;
        };
    }

    /// The text with the vocabulary's special tokens in brackets.
    private static String marked(WordTokenizer tokenizer, String text) {
        List<String> specials = new ArrayList<>(tokenizer.control());
        specials.addAll(tokenizer.userDefined());
        String marked = text;
        for (String special : specials) {
            marked = marked.replace(special, "⟦" + special + "⟧");
        }
        return marked;
    }

    /// @param shows whether the template writes reasoning of a message with calls
    /// @param several whether it writes several calls
    /// @param mixed whether it writes content before calls
    @ParameterizedTest
    @CsvSource(quoteCharacter = '$', textBlock = """
            google-gemma-4-31B-it,             gemma,    <|turn>model,                    true,  true,  false
            google-gemma-4-31B-it-interleaved, gemma,    <|turn>model,                    true,  true,  false
            Qwen-Qwen3-0.6B,                   qwen,     <|im_start|>assistant,           true,  true,  true
            Qwen-QwQ-32B,                      qwen,     <|im_start|>assistant,           false, true,  true
            Qwen-Qwen2.5-7B-Instruct,          qwen,     <|im_start|>assistant,           false, true,  true
            Qwen3-Coder,                       qwen,     <|im_start|>assistant,           false, true,  true
            llama-cpp-deepseek-r1,             deepseek, <｜Assistant｜>,                 false, true,  false
            deepseek-ai-DeepSeek-V3.1,         deepseek, <｜Assistant｜>,                 false, true,  true
            deepseek-ai-DeepSeek-R1-Distill-Qwen-32B, deepseek, <｜Assistant｜>,          false, true,  false
            deepseek-ai-DeepSeek-R1-Distill-Llama-8B, deepseek, <｜Assistant｜>,          false, true,  false
            meta-llama-Llama-3.1-8B-Instruct,  llama,    assistant<|end_header_id|>,      false, false, false
            meta-llama-Llama-3.2-3B-Instruct,  llama,    assistant<|end_header_id|>,      false, false, false
            meta-llama-Llama-3.3-70B-Instruct, llama,    assistant<|end_header_id|>,      false, false, false
            openai-gpt-oss-120b,               harmony,  <|start|>assistant,              true,  false, false
            """)
    void comeBack(String template, String family, String assistant, boolean shows, boolean several, boolean mixed)
            throws IOException {
        ChatFormat format = format(template);
        WordTokenizer tokenizer = vocabulary(family);
        // This one cannot declare tools, see the goldens.
        boolean tools = !template.equals("llama-cpp-deepseek-r1");
        String prompt = family.equals("harmony") ? "<|start|> assistant" : "";

        String one = turn(render(format, ChatMessage.assistant("", "Let me think.", List.of(CALL)), tools), assistant);
        check(
                Answers.parse(tokenizer, List.of(TOOL), prompt, skipNewline(marked(tokenizer, one))),
                shows ? "Let me think." : "",
                "",
                CALL);
        if (several) {
            String two = turn(render(format, ChatMessage.assistant("", "", List.of(CALL, SECOND)), tools), assistant);
            check(
                    Answers.parse(tokenizer, List.of(TOOL), prompt, skipNewline(marked(tokenizer, two))),
                    "",
                    "",
                    CALL,
                    SECOND);
        }
        if (mixed) {
            String both = turn(render(format, ChatMessage.assistant("I look.", "", List.of(CALL)), tools), assistant);
            check(
                    Answers.parse(tokenizer, List.of(TOOL), prompt, skipNewline(marked(tokenizer, both))),
                    "",
                    "I look.",
                    CALL);
        }
    }

    /// The newline behind the role is the prompt's.
    private static String skipNewline(String text) {
        return text.startsWith("\n") ? text.substring(1) : text;
    }

    /// Templates that would drop or refuse a part of an answer get it in a form in which they do not.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "google-gemma-4-31B-it",
                "Qwen-Qwen3-0.6B",
                "Qwen-QwQ-32B",
                "Qwen-Qwen2.5-7B-Instruct",
                "Qwen3-Coder",
                "llama-cpp-deepseek-r1",
                "deepseek-ai-DeepSeek-V3.1",
                "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
                "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
                "meta-llama-Llama-3.1-8B-Instruct",
                "meta-llama-Llama-3.2-3B-Instruct",
                "meta-llama-Llama-3.3-70B-Instruct",
                "openai-gpt-oss-120b",
                "GLM-4.6",
                "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
                "moonshotai-Kimi-K2"
            })
    void loseNothingInHistory(String template) throws IOException {
        String rendered = format(template)
                .render(
                        List.of(
                                ChatMessage.user("How is the weather?"),
                                ChatMessage.assistant("I look.", "Hm.", List.of(CALL, SECOND)),
                                ChatMessage.toolResult(CALL, "the first result"),
                                ChatMessage.toolResult(SECOND, "the second result")),
                        List.of(),
                        true,
                        Map.of(),
                        NOW,
                        Guard.NONE);
        assertThat(rendered)
                .contains("I look.", "Os}lo", "Rome", "the first result", "the second result")
                .doesNotContain("None", "'city'")
                .satisfies(text -> assertThat(text.indexOf("Os}lo")).isLessThan(text.indexOf("Rome")));
    }

    @Test
    void refusalsOfATemplateComeThrough() throws IOException {
        ChatFormat gemma2 = format("google-gemma-2-2b-it");
        var talk = List.of(
                ChatMessage.user("How is the weather?"),
                ChatMessage.assistant("", "", List.of(CALL)),
                ChatMessage.toolResult(CALL, "cold"));
        assertThatThrownBy(() -> gemma2.render(talk, true, Map.of()))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("roles must alternate");
    }

    private static Tokenizer open(String name, InputStream in) throws IOException {
        try (GgufFile gguf = GgufFile.ofMemory(name, MemorySegment.ofArray(in.readAllBytes()))) {
            return Tokenizer.of(gguf.metadata());
        }
    }

    private static Tokenizer tokenizer(String name) throws IOException {
        if (name.startsWith("/")) {
            try (InputStream in = Objects.requireNonNull(RealToolCallsTest.class.getResourceAsStream(name))) {
                return open(name, in);
            }
        }
        Path file = Path.of(System.getProperty("panamoe.testdata"), "tokenizers", name, "vocab.gguf.gz");
        assumeTrue(Files.exists(file), () -> file + " is not here");
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file), 1 << 16)) {
            return open(name, in);
        }
    }

    /// The same with vocabularies of published models, in which the arguments fall into tokens as they do in life.
    @ParameterizedTest
    @CsvSource(quoteCharacter = '$', textBlock = """
            google-gemma-4-31B-it,             /dev/panamoe/models/tiny-gemma4-moe-q8_0.gguf, <|turn>model
            deepseek-ai-DeepSeek-V3.1,         deepseek-v3,                                   <｜Assistant｜>
            deepseek-ai-DeepSeek-R1-Distill-Llama-8B, deepseek-v3,                            <｜Assistant｜>
            Qwen-Qwen3-0.6B,                   qwen3,                                         <|im_start|>assistant
            Qwen3-Coder,                       qwen3,                                         <|im_start|>assistant
            """)
    void comeBackThroughRealVocabularies(String template, String vocabulary, String assistant) throws IOException {
        Tokenizer tokenizer = tokenizer(vocabulary);
        String text = render(format(template), ChatMessage.assistant("", "", List.of(CALL, SECOND)), true);
        int end = text.indexOf(assistant) + assistant.length();
        int[] prompt = tokenizer.encode(text.substring(0, end) + "\n", true);
        int[] answer = tokenizer.encode(skipNewline(text.substring(end)), true);
        OutputParser parser = Dialect.of(tokenizer).parser(List.of(TOOL), prompt);
        var stream = tokenizer.stream(false);
        List<Delta> deltas = new ArrayList<>();
        for (int token : answer) {
            deltas.add(parser.append(token, stream.append(token)));
        }
        deltas.add(parser.append(stream.finish()));
        deltas.add(parser.finish());
        Parsed parsed = Answers.join(deltas);
        check(new Parsed("", "", parsed.calls()), "", "", CALL, SECOND);
    }
}
