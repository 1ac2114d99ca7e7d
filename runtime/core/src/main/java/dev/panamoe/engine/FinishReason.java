package dev.panamoe.engine;

import java.util.Locale;

/// Why an answer ended.
public enum FinishReason {
    /// The model ended it, or a stop string came.
    STOP,
    /// The model ended it and waits for the results of its calls.
    TOOL_CALLS,
    /// The number of tokens asked for, or the end of the context.
    LENGTH,
    /// The caller's thread was interrupted.
    CANCELLED;

    /// As JSON shows it: `stop`, `tool_calls`, `length`, `cancelled`.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
