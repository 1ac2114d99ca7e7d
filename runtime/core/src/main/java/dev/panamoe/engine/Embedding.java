package dev.panamoe.engine;

/// A text as a vector.
///
/// @param vector (embedding); the caller's own
/// @param tokens how many the model read
/// @param truncated whether the text had more of them than the context holds
@SuppressWarnings("ArrayRecordComponent") // nobody else has the array
public record Embedding(float[] vector, int tokens, boolean truncated) {}
