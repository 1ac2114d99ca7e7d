package dev.panamoe.cli;

/// One line on standard error that says what is going on, where a terminal can take it back.
final class Progress {
    private final Sink err;
    private final boolean shows;
    private boolean written;

    Progress(Console console, Notes notes) {
        this.err = console.err();
        this.shows = !notes.quiet() && err.canRewrite();
    }

    void show(String line) {
        if (shows) {
            err.rewrite(line);
            err.flush();
            written = true;
        }
    }

    /// Takes the line back, before anything else is printed. What others wrote there stays.
    void clear() {
        if (written) {
            show("");
            written = false;
        }
    }
}
