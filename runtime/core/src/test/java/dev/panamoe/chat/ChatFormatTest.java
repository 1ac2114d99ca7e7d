package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ChatFormatTest {
    private static final List<ChatMessage> TALK =
            List.of(ChatMessage.system("Be brief."), ChatMessage.user("Hi"), ChatMessage.assistant("Ho"));

    private static ChatFormat format(String template) {
        return ChatFormat.of("m.gguf", Optional.of(template), "<s>", "</s>");
    }

    @Test
    void givesTheTemplateItsVariables() {
        var format = format("{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}{{ eos_token }}"
                + "{% endfor %}{% if add_generation_prompt %}>{% endif %}{{ enable_thinking }}{{ tools is defined }}");
        assertThat(format.render(TALK, true, Map.of()))
                .isEqualTo("<s>[system]Be brief.</s>[user]Hi</s>[assistant]Ho</s>>False");
        assertThat(format.render(List.of(), false, Map.of("enable_thinking", true)))
                .isEqualTo("<s>TrueFalse");
        assertThat(format("{{ strftime_now('%Y') }}").render(TALK, true, Map.of(), LocalDateTime.of(2031, 1, 1, 0, 0)))
                .isEqualTo("2031");
    }

    @Test
    void saysWhatToDoWithoutATemplate() {
        assertThatThrownBy(() -> ChatFormat.of("m.gguf", Optional.empty(), "", ""))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("m.gguf: the file has no chat template")
                .hasMessageContaining("--raw");
    }

    @Test
    void passesOnWhatTheTemplateRaises() {
        assertThatThrownBy(() ->
                        format("{{ raise_exception('roles must alternate') }}").render(TALK, true, Map.of()))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("m.gguf: ")
                .hasMessageContaining("roles must alternate");
    }

    @Test
    void aBrokenTemplateNamesFileAndLine() {
        assertThatThrownBy(() -> format("{% if %}"))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("m.gguf: ")
                .hasMessageContaining("TemplateSyntaxError")
                .hasMessageContaining("line 1");
    }

    /// Everything but what the program itself says; JSON's escapes hide nothing.
    @Test
    void guardsWhatComesFromOutside() {
        var format = format("{{ tools[0].function.description }}"
                + "{% for m in messages %}[{{ m.content }}|{{ m.reasoning_content }}|{{ m.name }}"
                + "{% for c in m.tool_calls %}|{{ c.function.name }}|{{ c.function.arguments | tojson }}{% endfor %}]"
                + "{% endfor %}");
        var call = new ToolCall("i", "<x>", "{\"\\u003cx>\": \"<\\u0078>\"}");
        var guard = new Guard(text -> text.replace("<x>", "(x)"), text -> text.replace("<x>", "{x}"));
        assertThat(format.render(
                        List.of(
                                ChatMessage.system("<x>"),
                                ChatMessage.user("<x>"),
                                ChatMessage.assistant("<x>", "<x>", List.of(call)),
                                ChatMessage.toolResult(call, "<x>")),
                        List.of(Tool.of("t", "<x>", "{}")),
                        true,
                        Map.of(),
                        LocalDateTime.MIN,
                        guard))
                .isEqualTo("(x)[<x>||][(x)||][{x}|{x}||(x)|{\"(x)\": \"(x)\"}][(x)||(x)]");
    }

    @Test
    void writesCallsAsTheTemplateTakesThem() {
        var talk = List.of(
                ChatMessage.user("Hi"),
                ChatMessage.assistant("", "", List.of(new ToolCall("c1", "f", "{\"a\": {\"b\": 1.5}}"))));
        String calls = "{% for m in messages if m.tool_calls %}{% for c in m.tool_calls %}";
        String end = "{% endfor %}{% endfor %}";
        assertThat(format(calls + "{{ c.id }} {{ c.type }} {{ c.function.name }} {{ c.function.arguments | tojson }}"
                                + end)
                        .render(talk, true, Map.of()))
                .isEqualTo("c1 function f {\"a\": {\"b\": 1.5}}");
        assertThat(format(calls + "{{ c.function.name + c.function.arguments }}" + end)
                        .render(talk, true, Map.of()))
                .isEqualTo("f{\"a\":{\"b\":1.5}}");
        assertThat(format(calls + "{{ c.function.name }}{{ c.function.arguments }}" + end)
                        .render(talk, true, Map.of()))
                .isEqualTo("f{\"a\":{\"b\":1.5}}");
    }

    @Test
    void saysWhetherTheModelLearnsOfTools() {
        assertThat(format("{{ tools | tojson }}").declaresTools()).isTrue();
        assertThat(format("{{ messages[0].content }}").declaresTools()).isFalse();
    }
}
