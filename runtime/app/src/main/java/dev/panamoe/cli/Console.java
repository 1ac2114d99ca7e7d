package dev.panamoe.cli;

import dev.panamoe.ffm.Terminal;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;

/// Where a command reads and writes, and which of it a person looks at.
public final class Console {
    private final InputStream in;
    private final Sink out;
    private final Sink err;
    private final boolean typed;
    private final boolean process;

    private Console(InputStream in, Sink out, Sink err, boolean typed, boolean process) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.typed = typed;
        this.process = process;
    }

    /// The streams of this process. Text is UTF-8 whatever the locale says.
    static Console ofProcess() {
        return of(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                Terminal.isTerminal(0),
                Terminal.isTerminal(1),
                Terminal.isTerminal(2),
                true);
    }

    /// Any streams, such as those of a test. Nobody closes them.
    public static Console of(
            InputStream in,
            OutputStream out,
            OutputStream err,
            boolean inIsTerminal,
            boolean outIsTerminal,
            boolean errIsTerminal) {
        return of(in, out, err, inIsTerminal, outIsTerminal, errIsTerminal, false);
    }

    private static Console of(
            InputStream in,
            OutputStream out,
            OutputStream err,
            boolean inIsTerminal,
            boolean outIsTerminal,
            boolean errIsTerminal,
            boolean process) {
        return new Console(
                in,
                new Sink(out, "standard output", medium(outIsTerminal), false),
                new Sink(err, "standard error", medium(errIsTerminal), true),
                inIsTerminal,
                process);
    }

    private static Sink.Medium medium(boolean terminal) {
        if (!terminal) {
            return Sink.Medium.FILE;
        }
        if ("dumb".equals(System.getenv("TERM"))) {
            return Sink.Medium.DUMB;
        }
        return System.getenv("NO_COLOR") == null ? Sink.Medium.STYLED : Sink.Medium.PLAIN;
    }

    InputStream in() {
        return in;
    }

    Sink out() {
        return out;
    }

    Sink err() {
        return err;
    }

    /// Whether standard input is a keyboard rather than a file or a pipe.
    boolean inIsTerminal() {
        return typed;
    }

    /// Whether a person types and sees what is typed.
    boolean isInteractive() {
        return typed && (out.isTerminal() || err.isTerminal());
    }

    /// Whether these are the streams of this process.
    boolean isProcess() {
        return process;
    }

    boolean colours() {
        return out.isStyled();
    }
}
