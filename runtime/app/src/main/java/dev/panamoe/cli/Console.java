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
    private final boolean colours;

    private Console(InputStream in, Sink out, Sink err, boolean typed, boolean colours) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.typed = typed;
        this.colours = colours;
    }

    /// The streams of this process. Text is UTF-8 whatever the locale says.
    static Console ofProcess() {
        return of(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                Terminal.isTerminal(0),
                Terminal.isTerminal(1),
                Terminal.isTerminal(2));
    }

    /// Any streams, such as those of a test. Nobody closes them.
    public static Console of(
            InputStream in,
            OutputStream out,
            OutputStream err,
            boolean inIsTerminal,
            boolean outIsTerminal,
            boolean errIsTerminal) {
        return new Console(
                in,
                new Sink(out, "standard output", outIsTerminal, false),
                new Sink(err, "standard error", errIsTerminal, true),
                inIsTerminal,
                outIsTerminal && System.getenv("NO_COLOR") == null);
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

    boolean colours() {
        return colours;
    }
}
