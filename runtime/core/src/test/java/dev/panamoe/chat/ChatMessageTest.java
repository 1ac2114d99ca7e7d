package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ChatMessageTest {
    private static final ToolCall CALL = new ToolCall("c1", "f", "{\"a\": [1.50, \"é\"]}");

    static Stream<ChatMessage> messages() {
        return Stream.of(
                ChatMessage.system("Be brief."),
                ChatMessage.user("\"Hi\"\n🙂"),
                ChatMessage.assistant("Ho"),
                ChatMessage.assistant("", "Hm.", List.of(CALL, new ToolCall("c2", "g", "{}"))),
                ChatMessage.toolResult(CALL, "{\"r\": 1}"),
                new ChatMessage("developer", ""));
    }

    @ParameterizedTest
    @MethodSource("messages")
    void survivesJson(ChatMessage message) {
        assertThat(ChatMessage.fromJson(CallJson.read(message.toJson().toString(), "m")))
                .isEqualTo(message);
    }

    @Test
    void writesTheFormatOfOpenAi() {
        assertThat(ChatMessage.assistant("", "Hm.", List.of(CALL)).toJson()).hasToString("""
                {"role":"assistant","content":"","reasoning_content":"Hm.","tool_calls":[{"id":"c1","type":"function",\
                "function":{"name":"f","arguments":"{\\"a\\": [1.50, \\"é\\"]}"}}]}""");
        assertThat(ChatMessage.toolResult(CALL, "1").toJson())
                .hasToString("{\"role\":\"tool\",\"content\":\"1\",\"tool_call_id\":\"c1\",\"name\":\"f\"}");
    }

    @Test
    void readsWhatOthersWrite() {
        var message = ChatMessage.fromJson(CallJson.read("""
                {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                 "reasoning": "r", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}},
                 {"id": "i", "function": {"name": "g", "arguments": ""}}], "extra": 1}
                """, "m"));
        assertThat(message)
                .isEqualTo(ChatMessage.assistant(
                        "ab", "r", List.of(new ToolCall("", "f", "{\"x\":1}"), new ToolCall("i", "g", "{}"))));
        assertThat(ChatMessage.fromJson(CallJson.read("{\"role\": \"user\", \"content\": null}", "m")))
                .isEqualTo(ChatMessage.user(""));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
            {}                                                            | has no role
            {"role": "user", "content": 1}                                | neither a string nor an array
            {"role": "user", "content": [{"type": "image_url"}]}          | "image_url"; only text
            {"role": "tool", "name": 1}                                   | name of a message is not a string
            {"role": "assistant", "tool_calls": [{}]}                     | no function.name
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[]"}}]} | not a JSON object
            """)
    void refusesOthers(String json, String message) {
        assertThatThrownBy(() -> ChatMessage.fromJson(CallJson.read(json, "m")))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
            [                                              | tools.json: line 1, column
            $$                                             | tools.json: expected JSON, found nothing
            [0e90000000000000]                             | tools.json: expected JSON, found a number whose exponent is too large
            {"name": "f"}                                  | tools.json: expected a JSON array of tools
            [{"function": {}}]                             | tools.json: tool 1 has no name
            [{"name": "f"}, {"type": "function"}]          | tools.json: tool 2 has no name
            [{"name": "f", "parameters": 1}]               | the parameters of the tool f are not a JSON object
            """)
    void refusesWhatAreNoTools(String json, String message) {
        assertThatThrownBy(() -> Tool.list(json, "tools.json"))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void readsTools() {
        assertThat(Tool.list("""
                        [{"type": "function", "function": {"name": "f", "description": "d",
                          "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}}, {"name": "g"}]
                        """, "t"))
                .containsExactly(
                        Tool.of("f", "d", "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\"}}}"),
                        Tool.of("g", "", "{\"type\": \"object\", \"properties\": {}}"));
    }
}
