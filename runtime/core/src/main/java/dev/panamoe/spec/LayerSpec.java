package dev.panamoe.spec;

/// One layer of a decoder.
///
/// @param index from 0
/// @param postNorms attention and feed-forward outputs are normed before they are added (Gemma)
/// @param outputScale a factor on the whole residual stream behind the layer
public record LayerSpec(
        int index, AttentionSpec attention, FeedForwardSpec feedForward, boolean postNorms, boolean outputScale) {}
