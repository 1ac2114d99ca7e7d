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
    private static final String CLEAR_TO_END = "\u001B[K";

    private final OutputStream stream;
    private final OutputStream raw;
    private final String name;
    private final Medium medium;
    private final boolean lossy;

    /// What a stream leads to.
    enum Medium {
        /// A file or a pipe.
        FILE,
        /// A terminal that understands no escape sequences (`TERM=dumb`).
        DUMB,
        /// A terminal whose user wants the text as it is (`NO_COLOR`).
        PLAIN,
        /// Any other terminal.
        STYLED
    }

    /// @param lossy whether failures to write are to be ignored: without standard error there is nowhere to tell
    Sink(OutputStream stream, String name, Medium medium, boolean lossy) {
        this.raw = stream;
        this.stream = new BufferedOutputStream(stream);
        this.name = name;
        this.medium = medium;
        this.lossy = lossy;
    }

    boolean isTerminal() {
        return medium != Medium.FILE;
    }

    /// Whether text can be dim.
    boolean isStyled() {
        return medium == Medium.STYLED;
    }

    /// Whether {@link #rewrite} works.
    boolean canRewrite() {
        return medium == Medium.PLAIN || medium == Medium.STYLED;
    }

    /// Puts our own text in place of the line that the cursor is in.
    void rewrite(String text) {
        print("\r" + text + CLEAR_TO_END);
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
        print(isTerminal() ? Visible.controls(text) : text);
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

    /// From here to {@link #reset} text is dim, where it can be.
    void dim() {
        if (isStyled()) {
            print(DIM);
        }
    }

    void reset() {
        if (isStyled()) {
            print(RESET);
        }
    }

    /// Past all buffers and locks, for the moment when the process is told to stop: the terminal as it was, the cursor
    /// on a line of its own.
    void restoreTerminal() {
        try {
            raw.write((isStyled() ? RESET + "\n" : "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // The terminal is gone, and with it what was to be restored.
        }
    }

    /// The stream itself, past the buffer. Nobody closes it.
    OutputStream stream() {
        return raw;
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
