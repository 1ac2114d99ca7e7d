package dev.panamoe.cli;

/// One line on standard error that says what is going on, where a terminal can take it back.
final class Progress {
    private final Sink err;
    private final boolean shown;

    Progress(Console console, Notes notes) {
        this.err = console.err();
        this.shown = !notes.quiet() && err.canRewrite();
    }

    void show(String line) {
        if (shown) {
            err.rewrite(line);
            err.flush();
        }
    }

    /// Takes the line back, before anything else is printed.
    void clear() {
        show("");
    }
}
