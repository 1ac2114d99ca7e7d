package dev.panamoe.spi;

import dev.panamoe.spec.Activation;

/// The feed-forward weights of all experts of a layer.
///
/// @param gate (experts, width, embedding)
/// @param up (experts, width, embedding)
/// @param down (experts, embedding, width)
public record Experts(Weight gate, Weight up, Weight down, Activation activation) {}
