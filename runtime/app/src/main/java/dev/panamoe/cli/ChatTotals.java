package dev.panamoe.cli;

import dev.panamoe.engine.Completion;
import java.util.Locale;

/// What the answers of a conversation took together.
final class ChatTotals {
    private int answers;
    private long prompt;
    private long cached;
    private long generated;
    private long promptNanos;
    private long generationNanos;

    void add(Completion answer) {
        answers++;
        prompt += answer.usage().prompt();
        cached += answer.usage().cached();
        generated += answer.usage().generated();
        promptNanos += answer.timings().promptNanos();
        generationNanos += answer.timings().generationNanos();
    }

    @Override
    public String toString() {
        long computed = prompt - cached;
        return String.format(
                Locale.ROOT,
                "%s: of %d prompt tokens %d were known and %d read in %.1f s (%.1f tokens/s);"
                        + " %d tokens generated in %.1f s (%.1f tokens/s)",
                Count.of(answers, "answer"),
                prompt,
                cached,
                computed,
                promptNanos / 1e9,
                rate(computed, promptNanos),
                generated,
                generationNanos / 1e9,
                // The first token of each answer comes with its prompt.
                rate(generated - answers, generationNanos));
    }

    private static double rate(long tokens, long nanos) {
        return tokens <= 0 || nanos <= 0 ? 0 : tokens * 1e9 / nanos;
    }
}
