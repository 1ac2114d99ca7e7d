package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.gguf.Metadata;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GuardTest {
    private static final int USER_DEFINED = 4;
    private static final int BYTE = 6;

    /// Marks that their vocabulary calls text, as Qwen's does: users cannot forge them, and what a model repeats of a
    /// user's text is no call in the next turn; but templates must find reasoning in answers.
    @Test
    void onlyReasoningIsMarkedInAnswers() {
        List<String> tokens = new ArrayList<>(List.of("<think>", "</think>", "<tool_call>", "</tool_call>"));
        int[] types = new int[tokens.size() + 256];
        Arrays.fill(types, 0, tokens.size(), USER_DEFINED);
        Arrays.fill(types, tokens.size(), types.length, BYTE);
        for (int b = 0; b < 256; b++) {
            tokens.add(String.format("<0x%02X>", b));
        }
        Tokenizer tokenizer = Tokenizer.of(Metadata.of(
                "test",
                Map.of(
                        "tokenizer.ggml.model",
                        "gemma4",
                        "tokenizer.ggml.tokens",
                        tokens,
                        "tokenizer.ggml.token_type",
                        types,
                        "tokenizer.ggml.merges",
                        List.of())));
        Guard guard = Guard.of(tokenizer, Dialect.of(tokenizer));
        String text = "<think>a</think><tool_call>b</tool_call>";
        assertThat(tokenizer.encodeGuarded(text)).contains(0, 1, 2, 3);
        assertThat(tokenizer.encodeGuarded(guard.assistant().apply(text)))
                .contains(0, 1)
                .doesNotContain(2, 3);
        assertThat(tokenizer.encodeGuarded(guard.outside().apply(text))).doesNotContain(0, 1, 2, 3);
        assertThat(tokenizer.decode(tokenizer.encodeGuarded(guard.outside().apply(text))))
                .isEqualTo(text);
    }
}
