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
}
