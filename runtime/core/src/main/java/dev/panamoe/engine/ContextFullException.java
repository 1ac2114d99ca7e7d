package dev.panamoe.engine;

import dev.panamoe.PanamoeException;

/// A prompt is longer than the context.
public final class ContextFullException extends PanamoeException {
    private static final long serialVersionUID = 1L;

    private final int tokens;
    private final int context;

    ContextFullException(int tokens, int context) {
        super("the prompt has " + tokens + " tokens, but the context holds " + context
                + "; use a larger --ctx or a shorter prompt");
        this.tokens = tokens;
        this.context = context;
    }

    /// Of the prompt.
    public int tokens() {
        return tokens;
    }

    /// Positions a session holds.
    public int context() {
        return context;
    }
}
