package dev.panamoe.cpu;

/// Rows of activations (tokens) in tiles, quantised to 8 bits or as floats. The caller decides which tokens form a tile
/// and says so in the same way when it fills and when it multiplies.
///
/// Different threads may fill different tokens at the same time.
interface Panel {
    /// Most tokens of a tile.
    int TILE = 16;

    /// Makes room for `tokens` rows of `cols` values, in the form that weights of `type` need. What was in the panel is
    /// lost. Memory grows to what was wanted most, and stays.
    void reset(PackedType type, int cols, int tokens);

    /// Quantises (or copies) the row at `x[at]` into place `slot` of the tile of `count` tokens that begins at `first`.
    void set(int first, int count, int slot, float[] x, int at);

    /// As {@link #set}, taking what another panel of the same form has at `token`, there a tile of its own.
    void copy(int first, int count, int slot, Panel from, int token);

    /// Frees native memory.
    void close();
}
