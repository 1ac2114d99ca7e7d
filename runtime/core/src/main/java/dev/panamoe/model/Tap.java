package dev.panamoe.model;

import dev.panamoe.spi.Rows;

/// Sees intermediates of the forward pass as they are computed. The rows are valid during the call only; reading them
/// from the device waits for it, and the pass goes on with what is written to them.
@FunctionalInterface
public interface Tap {
    Tap NONE = (name, layer, rows) -> {};

    /// Layer number of intermediates that belong to no layer.
    int NO_LAYER = -1;

    /// @param name as llama.cpp calls it: `inp_embd`, `attn_norm`, `attn_out`, `ffn_moe_out`, `l_out`, `result_norm` …
    /// @param layer from 0, or {@link #NO_LAYER}
    void see(String name, int layer, Rows rows);
}
