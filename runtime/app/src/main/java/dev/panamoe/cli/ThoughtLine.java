package dev.panamoe.cli;

import java.util.Locale;

/// Folded reasoning: one line that counts while the model thinks, where the terminal can rewrite a line, and otherwise
/// comes when it has thought.
final class ThoughtLine {
    private static final long REFRESH_NANOS = 100_000_000;

    private final Sink sink;
    private long start;
    private long shown;
    private int tokens;

    ThoughtLine(Sink sink) {
        this.sink = sink;
    }

    /// One more token of reasoning. Tokens without a text of their own, such as the marks around it, do not count.
    void add() {
        long now = System.nanoTime();
        if (tokens++ == 0) {
            start = now;
            shown = now - REFRESH_NANOS;
        }
        if (sink.canRewrite() && now - shown >= REFRESH_NANOS) {
            shown = now;
            show("thinking for", now);
        }
    }

    /// The reasoning is over; more of it begins another line.
    void end() {
        show("thought for", System.nanoTime());
        sink.print("\n");
        sink.flush();
        tokens = 0;
    }

    private void show(String what, long now) {
        String text = String.format(Locale.ROOT, "%s %.1f s, %s", what, (now - start) / 1e9, Count.of(tokens, "token"));
        sink.dim();
        if (sink.canRewrite()) {
            sink.rewrite(text);
        } else {
            sink.print(text);
        }
        sink.reset();
        sink.flush();
    }
}
