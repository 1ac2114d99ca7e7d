package dev.panamoe;

import org.jspecify.annotations.Nullable;

/// A failure that the user can understand and mend. Its message is one line that names the file, the thing at
/// fault and the remedy; it is printed as it is, without a stack trace.
public class PanamoeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PanamoeException(String message) {
        super(message);
    }

    public PanamoeException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
