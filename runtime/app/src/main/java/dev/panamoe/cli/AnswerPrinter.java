package dev.panamoe.cli;

import dev.panamoe.chat.Delta;

/// Shows an answer as it comes: what the model says on standard output, what it thinks before on standard error and
/// dim or marked there, so that a file or a program that takes the output gets the answer alone.
final class AnswerPrinter {
    private final Console console;
    private final boolean content;
    private final Thoughts thoughts;
    private final ThoughtLine folded;
    private final Thread onStop;

    private boolean thinking;
    private volatile boolean stopped;

    /// @param content whether to show the answer
    /// @param thoughts what to show of the reasoning
    AnswerPrinter(Console console, boolean content, Thoughts thoughts) {
        this.console = console;
        this.content = content;
        this.thoughts = thoughts;
        this.folded = new ThoughtLine(console.err());
        this.onStop = new Thread(this::stop, "restore-terminal");
    }

    /// From here to {@link #finish} an interrupt (Ctrl-C) leaves the terminal in order. The JVM then ends with 130.
    void start() {
        if (console.err().isTerminal()) {
            Runtime.getRuntime().addShutdownHook(onStop);
        }
    }

    void print(Delta delta) {
        if (stopped) {
            return;
        }
        if (!delta.reasoning().isEmpty()) {
            switch (thoughts) {
                case SHOW -> reason(delta.reasoning());
                case FOLD -> {
                    thinking = true;
                    folded.add();
                }
                case HIDE -> {}
            }
        }
        if (!delta.content().isEmpty()) {
            endReasoning();
            if (content) {
                console.out().printUntrusted(delta.content());
                console.out().flush();
            }
        }
    }

    private void reason(String text) {
        if (!thinking) {
            thinking = true;
            if (console.err().isStyled()) {
                console.err().dim();
            } else {
                console.err().println("reasoning:");
            }
        }
        console.err().printUntrusted(text);
        console.err().flush();
    }

    private void endReasoning() {
        if (!thinking) {
            return;
        }
        thinking = false;
        if (thoughts == Thoughts.FOLD) {
            folded.end();
        } else {
            console.err().reset();
            console.err().print("\n");
            console.err().flush();
        }
    }

    void finish() {
        endReasoning();
        if (console.err().isTerminal()) {
            try {
                Runtime.getRuntime().removeShutdownHook(onStop);
            } catch (IllegalStateException e) {
                // The JVM is about to stop, and the hook does its work.
            }
        }
    }

    private void stop() {
        stopped = true;
        console.err().restoreTerminal();
    }
}
