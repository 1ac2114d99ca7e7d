package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Standard output or standard error: UTF-8, buffered until {@link #flush}, and no failure to write is lost. On a
/// terminal {@link #printUntrusted} shows control characters instead of sending them.
final class Sink {
    private static final String DIM = "\u001B[2m";
    private static final String RESET = "\u001B[0m";

    private final OutputStream stream;
    private final OutputStream raw;
    private final String name;
    private final boolean terminal;
    private final boolean lossy;

    /// @param lossy whether failures to write are to be ignored: without standard error there is nowhere to tell
    Sink(OutputStream stream, String name, boolean terminal, boolean lossy) {
        this.raw = stream;
        this.stream = new BufferedOutputStream(stream);
        this.name = name;
        this.terminal = terminal;
        this.lossy = lossy;
    }

    boolean isTerminal() {
        return terminal;
    }

    /// Our own text.
    void print(String text) {
        write(text.getBytes(StandardCharsets.UTF_8));
    }

    void println(String line) {
        print(line + "\n");
    }

    /// Text of a model or a file.
    void printUntrusted(String text) {
        print(terminal ? Visible.controls(text) : text);
    }

    void write(byte[] bytes) {
        try {
            stream.write(bytes);
        } catch (IOException e) {
            failed(e);
        }
    }

    void flush() {
        try {
            stream.flush();
        } catch (IOException e) {
            failed(e);
        }
    }

    /// From here to {@link #reset} text is dim, on a terminal.
    void dim() {
        if (terminal) {
            print(DIM);
        }
    }

    void reset() {
        if (terminal) {
            print(RESET);
        }
    }

    /// Past all buffers and locks, for the moment when the process is told to stop: the terminal as it was, the cursor
    /// on a line of its own.
    void restoreTerminal() {
        try {
            raw.write((RESET + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // The terminal is gone, and with it what was to be restored.
        }
    }

    /// For libraries that want a writer. It does not swallow failures as a writer on a stream would.
    PrintWriter writer() {
        return new PrintWriter(
                new Writer() {
                    @Override
                    public void write(char[] text, int from, int count) {
                        print(new String(text, from, count));
                    }

                    @Override
                    public void flush() {
                        Sink.this.flush();
                    }

                    @Override
                    public void close() {
                        Sink.this.flush();
                    }
                },
                true);
    }

    private void failed(IOException e) {
        if (lossy) {
            return;
        }
        String reason = String.valueOf(e.getMessage());
        // The JVM gives no error number, only the system's words for it.
        if (reason.toLowerCase(Locale.ROOT).contains("pipe")) {
            throw new OutputClosed(e);
        }
        throw new PanamoeException("cannot write to " + name + ": " + reason, e);
    }
}
