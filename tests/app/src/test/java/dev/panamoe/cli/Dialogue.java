package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// A person at a terminal: types, reads, and waits for what is to come.
final class Dialogue {
    static final String PROMPT = "> ";
    static final String CTRL_C = "\u0003";
    static final String CTRL_D = "\u0004";
    static final String UP = "\u001BOA";

    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(40);

    private final OutputStream keys;
    private final ByteArrayOutputStream screen;
    private final BooleanSupplier ended;
    private int seen;

    /// @param screen gets what is shown
    /// @param ended whether nothing more can come
    Dialogue(OutputStream keys, ByteArrayOutputStream screen, BooleanSupplier ended) {
        this.keys = keys;
        this.screen = screen;
        this.ended = ended;
    }

    void type(String text) throws IOException {
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }

    void enter(String line) throws IOException {
        type(line + "\r");
    }

    String screen() {
        return screen.toString(StandardCharsets.UTF_8);
    }

    /// Until a text appears behind the one waited for before.
    void await(String text) throws InterruptedException {
        awaitUntil(() -> screen().indexOf(text, seen) >= 0, text);
        seen = screen().indexOf(text, seen) + text.length();
    }

    /// Until an answer has begun to come, after {@link #enter}.
    void awaitAnswer() throws InterruptedException {
        await("\u001B[?2004l"); // what was typed is accepted
        awaitUntil(() -> screen().length() > seen + 50, "an answer");
    }

    private void awaitUntil(BooleanSupplier there, String what) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE;
        while (!there.getAsBoolean()) {
            // What came last may have come between the two questions.
            assertThat(System.nanoTime() < end && (!ended.getAsBoolean() || there.getAsBoolean()))
                    .as("waiting for '%s' in:%n%s", what, screen())
                    .isTrue();
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }
}
