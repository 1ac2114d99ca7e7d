package dev.panamoe.engine;

import dev.panamoe.chat.ChatMessage;
import dev.panamoe.chat.ToolCall;
import java.util.List;

/// A finished answer.
///
/// @param text what the model says
/// @param reasoning what it thought before, empty when it did not
/// @param toolCalls what it asks for; there may be some even when the answer broke off later
/// @param tokens all generated ids, the ending one included
public record Completion(
        String text,
        String reasoning,
        List<ToolCall> toolCalls,
        List<Integer> tokens,
        FinishReason finishReason,
        Usage usage,
        Timings timings) {
    public Completion {
        toolCalls = List.copyOf(toolCalls);
        tokens = List.copyOf(tokens);
    }

    /// The answer as the conversation goes on with it.
    public ChatMessage message() {
        return ChatMessage.assistant(text, reasoning, toolCalls);
    }

    /// Numbers of tokens.
    ///
    /// @param prompt of the whole prompt
    /// @param cached of these, how many were known from the turn before and cost nothing
    /// @param generated ids the model generated
    public record Usage(int prompt, int cached, int generated) {}

    /// Wall-clock times.
    ///
    /// @param promptNanos from the call to the first logits
    /// @param generationNanos from there to the end
    public record Timings(long promptNanos, long generationNanos) {
        private static final double NANOS = 1e9;

        public double promptSeconds() {
            return promptNanos / NANOS;
        }

        public double generationSeconds() {
            return generationNanos / NANOS;
        }
    }

    /// Prompt tokens computed per second; 0 when none were.
    public double promptTokensPerSecond() {
        return rate(usage.prompt() - usage.cached(), timings.promptSeconds());
    }

    /// Generated tokens per second. The first one comes with the prompt, so it does not count.
    public double generatedTokensPerSecond() {
        return rate(usage.generated() - 1, timings.generationSeconds());
    }

    private static double rate(int tokens, double seconds) {
        return tokens <= 0 || seconds <= 0 ? 0 : tokens / seconds;
    }
}
