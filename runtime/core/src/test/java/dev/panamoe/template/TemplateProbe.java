package dev.panamoe.template;

import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// What must hold of any template: it gives a text or a [TemplateException], within the [Budget]. Shared by the short
/// and the long fuzz run.
final class TemplateProbe {
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);

    /// Values of every type, under names that are quickly guessed.
    private static final List<Map<String, Object>> VARIABLES = List.of(
            Map.of(),
            Map.of("x", List.of(Map.of("a", 1, "k", "v"), 2, "three"), "a", Map.of("b", "text"), "y", -7, "z", 0.5),
            Map.of("x", "é🙂 <b>\n", "a", List.of(List.of(1, 2), List.of()), "y", true, "z", Long.MAX_VALUE),
            Map.of(
                    "messages",
                    List.of(
                            Map.of("role", "user", "content", "<think>a</think> b"),
                            Map.of(
                                    "role",
                                    "assistant",
                                    "content",
                                    "",
                                    "tool_calls",
                                    List.of(Map.of("function", Map.of("name", "f", "arguments", Map.of("p", 1)))))),
                    "tools",
                    List.of(Map.of("type", "function", "function", Map.of("name", "f"))),
                    "add_generation_prompt",
                    true,
                    "bos_token",
                    "<s>"));

    private TemplateProbe() {}

    /// A byte that chooses the variables, and a template.
    ///
    /// @return whether it gave a text
    static boolean probe(byte[] input) {
        int choice = input.length == 0 ? 0 : Byte.toUnsignedInt(input[0]) % VARIABLES.size();
        byte[] source = Arrays.copyOfRange(input, Math.min(1, input.length), input.length);
        try {
            ChatTemplate template = ChatTemplate.parse(new String(source, StandardCharsets.UTF_8));
            String text = template.render(VARIABLES.get(choice), NOW);
            check(text.length() <= Budget.MAX_TOTAL, "a text of " + text.length() + " characters");
            return true;
        } catch (TemplateException e) {
            String message = String.valueOf(e.getMessage());
            check(message.startsWith("chat template: ") && message.length() < 20_000, message);
            return false;
        }
    }

    private static void check(boolean ok, String what) {
        if (!ok) {
            throw new AssertionError(what);
        }
    }
}
