package dev.panamoe.cli;

/// Whoever read standard output has had enough: the command ends without a word.
final class OutputClosed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutputClosed(Throwable cause) {
        super(cause);
    }
}
