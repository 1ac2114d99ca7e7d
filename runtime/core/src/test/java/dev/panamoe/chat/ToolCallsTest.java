package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.chat.Answers.Parsed;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Answers with calls in every dialect, in whatever pieces they come.
class ToolCallsTest {
    static final WordTokenizer GEMMA = Answers.vocabulary(
            List.of("<|turn>", "<turn|>"),
            List.of("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<|\"|>"));
    static final WordTokenizer QWEN = Answers.vocabulary(
            List.of("<|im_start|>", "<|im_end|>"), List.of("<think>", "</think>", "<tool_call>", "</tool_call>"));
    static final WordTokenizer DEEPSEEK = Answers.vocabulary(
            List.of(
                    "<｜Assistant｜>",
                    "<｜end▁of▁sentence｜>",
                    "<｜tool▁calls▁begin｜>",
                    "<｜tool▁calls▁end｜>",
                    "<｜tool▁call▁begin｜>",
                    "<｜tool▁call▁end｜>",
                    "<｜tool▁sep｜>"),
            List.of("<think>", "</think>"));
    static final WordTokenizer LLAMA = Answers.vocabulary(
            List.of("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"), List.of());
    static final WordTokenizer HARMONY = new WordTokenizer(
            List.of("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>"),
            List.of(),
            List.of("text", "assistant", "analysis", "final"));

    static final Tool WEATHER = Tool.of("weather", "Tells the weather", """
            {"type": "object", "properties": {
              "city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"},
              "scale": {"enum": ["C", "F"]}, "wind": {"type": ["number", "null"]}, "when": {"anyOf":
              [{"type": "string"}, {"type": "object"}]}, "tags": {"type": "array", "items": {"type": "string"}}}}
            """);
    private static final List<Tool> TOOLS = List.of(WEATHER);
    private static final List<Tool> NONE = List.of();

    private static Arguments row(
            String name, WordTokenizer tokenizer, List<Tool> tools, String prompt, String answer, Parsed expected) {
        return Arguments.of(name, tokenizer, tools, prompt, answer, expected);
    }

    private static Arguments gemma(String name, String answer, Parsed expected) {
        return row("gemma: " + name, GEMMA, TOOLS, "<|turn>", answer, expected);
    }

    private static Arguments qwen(String name, String answer, Parsed expected) {
        return row("qwen: " + name, QWEN, TOOLS, "<|im_start|>", answer, expected);
    }

    private static Arguments deepseek(String name, String answer, Parsed expected) {
        return row("deepseek: " + name, DEEPSEEK, NONE, "<｜Assistant｜>", answer, expected);
    }

    private static Arguments llama(String name, String answer, Parsed expected) {
        return row("llama: " + name, LLAMA, TOOLS, "<|end_header_id|>", answer, expected);
    }

    private static Arguments harmony(String name, String answer, Parsed expected) {
        return row("harmony: " + name, HARMONY, NONE, "<|start|> assistant", answer, expected);
    }

    static Stream<Arguments> answers() {
        return Stream.of(gemmaAnswers(), qwenAnswers(), deepseekAnswers(), llamaAnswers(), harmonyAnswers())
                .flatMap(s -> s);
    }

    private static Stream<Arguments> gemmaAnswers() {
        return Stream.of(
                gemma(
                        "one call",
                        "⟦<|tool_call>⟧call:weather{city:⟦<|\"|>⟧Oslo⟦<|\"|>⟧,days:3}⟦<tool_call|>⟧⟦<|tool_response>⟧",
                        Parsed.of("", "", "weather{\"city\":\"Oslo\",\"days\":3}")),
                gemma(
                        "reasoning, content and parallel calls",
                        "⟦<|channel>⟧thought\nWhy\n⟦<channel|>⟧Let me see.\n⟦<|tool_call>⟧call:a{}⟦<tool_call|>⟧"
                                + "⟦<|tool_call>⟧call:b{x:true}⟦<tool_call|>⟧⟦<|tool_response>⟧",
                        Parsed.of("Why", "Let me see.", "a{}", "b{\"x\":true}")),
                gemma(
                        "all kinds of values",
                        "⟦<|tool_call>⟧call:f{a:⟦<|\"|>⟧br}ace, \"quote\" \\n\n⟦<|\"|>⟧,b:-1.50,c:[1,[],{}],d:"
                                + "{k:false,⟦<|\"|>⟧two words⟦<|\"|>⟧:null},e:None}⟦<tool_call|>⟧",
                        Parsed.of(
                                "",
                                "",
                                "f{\"a\":\"br}ace, \\\"quote\\\" \\\\n\\n\",\"b\":-1.50,\"c\":[1,[],{}],"
                                        + "\"d\":{\"k\":false,\"two words\":null},\"e\":null}")),
                gemma(
                        "a quotation mark as text is text",
                        "⟦<|tool_call>⟧call:f{a:⟦<|\"|>⟧x<|\"|>,b:1⟦<|\"|>⟧}⟦<tool_call|>⟧",
                        Parsed.of("", "", "f{\"a\":\"x<|\\\"|>,b:1\"}")),
                gemma(
                        "what other models write",
                        "⟦<|tool_call>⟧call:f{\"a\": \"x\\u00e9\\\"y\", b: bare word, zip: 0123}⟦<tool_call|>⟧",
                        Parsed.of("", "", "f{\"a\":\"xé\\\"y\",\"b\":\"bare word\",\"zip\":\"0123\"}")),
                gemma(
                        "broken",
                        "a\n⟦<|tool_call>⟧call:f{a:⟦<|\"|>⟧x}⟦<tool_call|>⟧b",
                        Parsed.of("", "a\n<|tool_call>call:f{a:<|\"|>x}<tool_call|>b")),
                gemma(
                        "too deep",
                        "⟦<|tool_call>⟧call:f{a:" + "[".repeat(200) + "]".repeat(200) + "}⟦<tool_call|>⟧",
                        Parsed.of("", "<|tool_call>call:f{a:" + "[".repeat(200) + "]".repeat(200) + "}<tool_call|>")),
                gemma(
                        "a number beyond all bounds",
                        "⟦<|tool_call>⟧call:f{a:0e90000000000000}⟦<tool_call|>⟧",
                        Parsed.of("", "", "f{\"a\":\"0e90000000000000\"}")),
                gemma("cut off", "⟦<|tool_call>⟧call:f{a:1", Parsed.of("", "<|tool_call>call:f{a:1")),
                gemma("no end mark", "⟦<|tool_call>⟧call:f{a:1}⟦<turn|>⟧", Parsed.of("", "", "f{\"a\":1}")),
                gemma(
                        "thoughts between calls",
                        "⟦<|tool_call>⟧call:f{}⟦<tool_call|>⟧⟦<|channel>⟧thought\nAh⟦<channel|>⟧⟦<|tool_call>⟧call:g{}"
                                + "⟦<tool_call|>⟧",
                        Parsed.of("Ah", "", "f{}", "g{}")),
                gemma(
                        "marks as text",
                        "<|tool_call>call:f{}<tool_call|>",
                        Parsed.of("", "<|tool_call>call:f{}<tool_call|>")),
                gemma("a stray end", "a⟦<tool_call|>⟧b", Parsed.of("", "ab")));
    }

    private static Stream<Arguments> qwenAnswers() {
        return Stream.of(
                qwen(
                        "json",
                        "⟦<think>⟧\nWhy\n⟦</think>⟧\n\nLet me see.\n⟦<tool_call>⟧\n{\"name\": \"f\", \"arguments\": "
                                + "{\"a\": {\"b\": \"}\\\"\\u00e9\"}}}\n⟦</tool_call>⟧\n⟦<tool_call>⟧\n{\"name\": \"g\","
                                + " \"arguments\": {}}\n⟦</tool_call>⟧⟦<|im_end|>⟧",
                        Parsed.of("Why", "Let me see.", "f{\"a\":{\"b\":\"}\\\"é\"}}", "g{}")),
                qwen(
                        "numbers keep their digits, strings their line breaks",
                        "⟦<tool_call>⟧{\"name\":\"f\",\"arguments\":{\"a\":1.10,\"b\":12345678901234567890,\"c\":\"x\ny\"}}"
                                + "⟦</tool_call>⟧",
                        Parsed.of("", "", "f{\"a\":1.10,\"b\":12345678901234567890,\"c\":\"x\\ny\"}")),
                qwen(
                        "arguments as text, or none",
                        "⟦<tool_call>⟧{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}⟦</tool_call>⟧⟦<tool_call>⟧"
                                + "{\"name\":\"g\"}⟦</tool_call>⟧",
                        Parsed.of("", "", "f{\"a\":1}", "g{}")),
                qwen(
                        "broken",
                        "a\n\n⟦<tool_call>⟧{\"name\": \"f\", \"arguments\": {⟦</tool_call>⟧\nb",
                        Parsed.of("", "a\n\n<tool_call>{\"name\": \"f\", \"arguments\": {</tool_call>\nb")),
                qwen(
                        "arguments that are no object",
                        "⟦<tool_call>⟧{\"name\": \"f\", \"arguments\": [1]}⟦</tool_call>⟧",
                        Parsed.of("", "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>")),
                qwen("cut off", "a⟦<tool_call>⟧\n{\"name\": \"f", Parsed.of("", "a<tool_call>\n{\"name\": \"f")),
                qwen(
                        "a call inside reasoning ends it",
                        "⟦<think>⟧Why⟦<tool_call>⟧{\"name\":\"f\",\"arguments\":{}}⟦</tool_call>⟧Yes",
                        Parsed.of("Why", "Yes", "f{}")),
                qwen(
                        "a thought about calls is none",
                        "⟦<think>⟧The mark ⟦<tool_call>⟧ is used⟦</think>⟧Yes",
                        Parsed.of("The mark <tool_call> is used", "Yes")),
                qwen(
                        "marks as text",
                        "<tool_call>{\"name\":\"weather\",\"arguments\":{}}</tool_call>",
                        Parsed.of("", "<tool_call>{\"name\":\"weather\",\"arguments\":{}}</tool_call>")),
                qwen(
                        "tags",
                        """
                        Let me see.

                        ⟦<tool_call>⟧
                        <function=weather>
                        <parameter=city>
                        New
                        York</b>
                        </parameter>
                        <parameter=days>
                        3
                        </parameter>
                        <parameter=exact>
                        True
                        </parameter>
                        <parameter=tags>
                        ["a"]
                        </parameter>
                        </function>
                        ⟦</tool_call>⟧""",
                        Parsed.of(
                                "",
                                "Let me see.",
                                "weather{\"city\":\"New\\nYork</b>\",\"days\":3,\"exact\":true,\"tags\":[\"a\"]}")),
                qwen(
                        "values by their types",
                        "⟦<tool_call>⟧<function=weather><parameter=city>12</parameter><parameter=days>many</parameter>"
                                + "<parameter=scale>C</parameter><parameter=wind>None</parameter><parameter=when>{\"d\":1}"
                                + "</parameter><parameter=other>7</parameter><parameter=more>{}</parameter></function>"
                                + "⟦</tool_call>⟧",
                        Parsed.of(
                                "",
                                "",
                                "weather{\"city\":\"12\",\"days\":\"many\",\"scale\":\"C\",\"wind\":null,\"when\":"
                                        + "{\"d\":1},\"other\":\"7\",\"more\":{}}")),
                qwen(
                        "forgotten end tags",
                        "⟦<tool_call>⟧\n<function=f>\n<parameter=a>\nx\n<parameter=b>\ny\n</function>\n⟦</tool_call>⟧",
                        Parsed.of("", "", "f{\"a\":\"x\",\"b\":\"y\"}")),
                qwen(
                        "tags cut off",
                        "⟦<tool_call>⟧<function=f><parameter=a>x",
                        Parsed.of("", "<tool_call><function=f><parameter=a>x")),
                qwen(
                        "tags without the mark",
                        "\n<function=weather>\n<parameter=city>\nOslo\n</parameter>\n</function>\n⟦</tool_call>⟧",
                        Parsed.of("", "", "weather{\"city\":\"Oslo\"}")),
                qwen(
                        "tags without the mark, of no tool",
                        " <function=rm>\n</function>.",
                        Parsed.of("", " <function=rm>\n</function>.")),
                qwen("only newlines", "\n\n", Parsed.of("", "\n\n")),
                qwen("newlines at the end", "a\n\n", Parsed.of("", "a\n\n")),
                qwen(
                        "tags later",
                        "So <function=weather></function>",
                        Parsed.of("", "So <function=weather></function>")),
                row(
                        "qwen: tags without tools",
                        QWEN,
                        NONE,
                        "<|im_start|>",
                        "<function=weather></function>",
                        Parsed.of("", "<function=weather></function>")));
    }

    private static Stream<Arguments> deepseekAnswers() {
        String begin = "⟦<｜tool▁calls▁begin｜>⟧⟦<｜tool▁call▁begin｜>⟧";
        String end = "⟦<｜tool▁call▁end｜>⟧⟦<｜tool▁calls▁end｜>⟧⟦<｜end▁of▁sentence｜>⟧";
        return Stream.of(
                deepseek(
                        "R1 and V3",
                        "⟦<think>⟧\nWhy\n⟦</think>⟧\n\n" + begin
                                + "function⟦<｜tool▁sep｜>⟧f\n```json\n{\"a\": \"```\"}\n```"
                                + "⟦<｜tool▁call▁end｜>⟧\n⟦<｜tool▁call▁begin｜>⟧function⟦<｜tool▁sep｜>⟧g\n```json\n{}\n```"
                                + end,
                        Parsed.of("Why", "", "f{\"a\":\"```\"}", "g{}")),
                deepseek(
                        "V3.1",
                        "Let me see." + begin + "f⟦<｜tool▁sep｜>⟧{\"a\": 1}⟦<｜tool▁call▁end｜>⟧⟦<｜tool▁call▁begin｜>⟧g"
                                + "⟦<｜tool▁sep｜>⟧{}" + end,
                        Parsed.of("", "Let me see.", "f{\"a\":1}", "g{}")),
                deepseek(
                        "no code block",
                        begin + "function⟦<｜tool▁sep｜>⟧f\n{\"a\":1}" + end,
                        Parsed.of("", "", "f{\"a\":1}")),
                deepseek(
                        "broken",
                        begin + "f⟦<｜tool▁sep｜>⟧{\"a\": " + end,
                        Parsed.of("", "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": <｜tool▁call▁end｜>")),
                deepseek(
                        "no separator",
                        begin + "f{\"a\": 1}" + end,
                        Parsed.of("", "<｜tool▁call▁begin｜>f{\"a\": 1}<｜tool▁call▁end｜>")),
                deepseek(
                        "cut off",
                        begin + "f⟦<｜tool▁sep｜>⟧{\"a\": [",
                        Parsed.of("", "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": [")),
                deepseek(
                        "marks as text",
                        "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
                        Parsed.of("", "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>")));
    }

    private static Stream<Arguments> llamaAnswers() {
        String call = "{\"name\": \"weather\", \"parameters\": {\"city\": \"O}\\\"slo\"}}";
        String parsed = "weather{\"city\":\"O}\\\"slo\"}";
        return Stream.of(
                llama("one object", call + "⟦<|eot_id|>⟧", Parsed.of("", "", parsed)),
                llama("with a type", "{\"type\": \"function\", " + call.substring(1), Parsed.of("", "", parsed)),
                llama("several", "\n" + call + "; " + call + "\n" + call, Parsed.of("", "", parsed, parsed, parsed)),
                llama("behind the mark", "⟦<|python_tag|>⟧" + call, Parsed.of("", "", parsed)),
                llama("and text", call + "\nYes", Parsed.of("", "Yes", parsed)),
                llama(
                        "of no tool",
                        "{\"name\": \"f\", \"parameters\": {}}",
                        Parsed.of("", "{\"name\": \"f\", \"parameters\": {}}")),
                llama("an answer in JSON", " {\"answer\": [{}]} x", Parsed.of("", " {\"answer\": [{}]} x")),
                llama("broken", "{\"name\": \"weather\", }", Parsed.of("", "{\"name\": \"weather\", }")),
                llama("cut off", "\n{\"name\": \"weather\"", Parsed.of("", "\n{\"name\": \"weather\"")),
                llama("later", "Yes: " + call, Parsed.of("", "Yes: " + call)),
                llama("code", "⟦<|python_tag|>⟧print(1)", Parsed.of("", "print(1)")),
                row("llama: without tools", LLAMA, NONE, "<|end_header_id|>", call, Parsed.of("", call)));
    }

    private static Stream<Arguments> harmonyAnswers() {
        return Stream.of(
                harmony(
                        "reasoning and answer",
                        "⟦<|channel|>⟧analysis⟦<|message|>⟧Why\n⟦<|end|>⟧⟦<|start|>⟧assistant⟦<|channel|>⟧final⟦<|message|>⟧"
                                + "Yes⟦<|return|>⟧",
                        Parsed.of("Why\n", "Yes")),
                harmony(
                        "preamble and call",
                        "⟦<|channel|>⟧analysis⟦<|message|>⟧Why⟦<|end|>⟧⟦<|start|>⟧assistant⟦<|channel|>⟧commentary⟦<|message|>⟧"
                                + "Let me see.⟦<|end|>⟧⟦<|start|>⟧assistant⟦<|channel|>⟧commentary to=functions.f "
                                + "⟦<|constrain|>⟧json⟦<|message|>⟧{\"a\": \"<|call|>\"}⟦<|call|>⟧",
                        Parsed.of("Why", "Let me see.", "f{\"a\":\"<|call|>\"}")),
                harmony(
                        "recipient beside the role",
                        " to=functions.f⟦<|channel|>⟧commentary json⟦<|message|>⟧{}⟦<|call|>⟧",
                        Parsed.of("", "", "f{}")),
                harmony(
                        "recipient in the analysis channel",
                        "⟦<|channel|>⟧analysis⟦<|message|>⟧Why⟦<|end|>⟧⟦<|start|>⟧assistant⟦<|channel|>⟧analysis to=functions.f"
                                + " code⟦<|message|>⟧\n{\"a\":1}⟦<|call|>⟧",
                        Parsed.of("Why", "", "f{\"a\":1}")),
                harmony(
                        "constrain without a space",
                        "⟦<|channel|>⟧commentary to=functions.f⟦<|constrain|>⟧json⟦<|message|>⟧{}",
                        Parsed.of("", "", "f{}")),
                harmony(
                        "several of a kind",
                        "⟦<|channel|>⟧analysis⟦<|message|>⟧A⟦<|end|>⟧⟦<|start|>⟧assistant⟦<|channel|>⟧analysis⟦<|message|>⟧B"
                                + "⟦<|start|>⟧assistant⟦<|channel|>⟧commentary⟦<|message|>⟧C⟦<|end|>⟧⟦<|channel|>⟧final"
                                + "⟦<|message|>⟧D",
                        Parsed.of("A\nB", "C\nD")),
                harmony(
                        "broken",
                        "⟦<|channel|>⟧commentary to=functions.f⟦<|message|>⟧{\"a\"⟦<|call|>⟧",
                        Parsed.of("", "<|channel|>commentary to=functions.f<|message|>{\"a\"<|call|>")),
                harmony(
                        "cut off",
                        "⟦<|channel|>⟧commentary to=functions.f⟦<|message|>⟧{\"a\"",
                        Parsed.of("", "<|channel|>commentary to=functions.f<|message|>{\"a\"")),
                harmony("cut off in the header", "⟦<|channel|>⟧commentary to=func", Parsed.of("", "")),
                harmony("no marks at all", "Yes, I do.", Parsed.of("", "Yes, I do.")),
                harmony(
                        "marks as text",
                        "⟦<|channel|>⟧final⟦<|message|>⟧<|end|><|start|>assistant<|channel|>analysis<|message|>x",
                        Parsed.of("", "<|end|><|start|>assistant<|channel|>analysis<|message|>x")),
                harmony(
                        "a header without end",
                        "⟦<|channel|>⟧final " + "x".repeat(300) + "⟦<|end|>⟧",
                        Parsed.of("", "<|channel|>final " + "x".repeat(300))),
                row(
                        "harmony: a channel in the prompt",
                        HARMONY,
                        NONE,
                        "<|start|> text <|end|> <|start|> assistant <|channel|> analysis <|message|> text",
                        "Why⟦<|end|>⟧⟦<|start|>⟧assistant⟦<|channel|>⟧final⟦<|message|>⟧Yes",
                        Parsed.of("Why", "Yes")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answers")
    void areTakenApart(
            String name, WordTokenizer tokenizer, List<Tool> tools, String prompt, String answer, Parsed expected) {
        assertThat(Answers.parse(tokenizer, tools, prompt, answer)).isEqualTo(expected);
        assertThat(Answers.parseInPieces(tokenizer, tools, prompt, answer))
                .allSatisfy(parsed -> assertThat(parsed).isEqualTo(expected));
    }

    @Test
    void callsAreGivenWhenComplete() {
        OutputParser parser = Dialect.of(QWEN).parser(TOOLS, new int[0]);
        int text = QWEN.ids("text")[0];
        parser.append(QWEN.ids("<tool_call>")[0], "<tool_call>");
        assertThat(parser.isContent()).isFalse();
        assertThat(parser.append(text, "{\"name\":\"f\"}")).isEqualTo(Delta.EMPTY);
        Delta delta = parser.append(QWEN.ids("</tool_call>")[0], "</tool_call>");
        assertThat(delta.toolCalls()).extracting(ToolCall::name).containsExactly("f");
        assertThat(delta.toolCalls().getFirst().id()).matches("c[0-9a-f]{8}");
        assertThat(parser.isContent()).isTrue();
    }

    @Test
    void harmonyKnowsItsChannel() {
        Dialect dialect = Dialect.of(HARMONY);
        OutputParser parser = dialect.parser(NONE, HARMONY.ids("<|start|>", "assistant"));
        assertThat(parser.isReasoning() || parser.isContent()).isFalse();
        for (String token : List.of("<|channel|>", "analysis", "<|message|>")) {
            parser.append(HARMONY.ids(token)[0], token.startsWith("<") ? "" : token);
        }
        assertThat(parser.isReasoning()).isTrue();
        OutputParser answer =
                dialect.parser(NONE, HARMONY.ids("<|start|>", "assistant", "<|channel|>", "final", "<|message|>"));
        assertThat(answer.isContent()).isTrue();
        assertThat(answer.append(HARMONY.ids("text")[0], "Yes").content()).isEqualTo("Yes");
    }

    @Test
    void idsTellCallsApart() {
        OutputParser parser = Dialect.of(QWEN).parser(NONE, QWEN.ids("<|im_start|>"));
        int[] ids = QWEN.ids("<tool_call>", "text", "</tool_call>", "<tool_call>", "text", "</tool_call>");
        List<String> calls = Arrays.stream(ids)
                .mapToObj(id -> parser.append(id, "{\"name\":\"f\"}"))
                .flatMap(delta -> delta.toolCalls().stream())
                .map(ToolCall::id)
                .toList();
        assertThat(calls).hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    void whatBeginsTurnsIsAMarkThoughTheVocabularyCallsItText() {
        List<String> harmony = List.of("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>");
        var words = new WordTokenizer(List.of(), harmony, List.of());
        assertThat(Dialect.of(words).marks()).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
        var gemma = new WordTokenizer(List.of(), List.of("<|turn>", "<|channel>", "<channel|>"), List.of());
        assertThat(Dialect.of(gemma).marks()).containsExactlyInAnyOrder(0, 1, 2);
    }
}
