package dev.panamoe.spi;

import org.jspecify.annotations.Nullable;

/// Parameters of {@link Ops#attention}.
///
/// @param heads query heads; query head `h` reads key/value head `h / (heads / kvHeads)`
/// @param scale factor on q·k
/// @param window a query sees its own position and the `window - 1` before it; 0 = everything before it
/// @param sinks (heads) F32: per query head one more logit of the softmax, neither scaled nor with a value; null when
///     the model has none
public record Attention(
        int heads, float scale, int window, @Nullable Weight sinks) {
    /// Without sinks.
    public Attention(int heads, float scale, int window) {
        this(heads, scale, window, null);
    }
}
