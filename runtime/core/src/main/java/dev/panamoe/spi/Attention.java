package dev.panamoe.spi;

/// Parameters of {@link Ops#attention}.
///
/// @param heads query heads; query head `h` reads key/value head `h / (heads / kvHeads)`
/// @param scale factor on q·k
/// @param window a query sees its own position and the `window - 1` before it; 0 = everything before it
public record Attention(int heads, float scale, int window) {}
