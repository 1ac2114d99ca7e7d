package dev.panamoe.cpu;

import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;

/// A small vector, decoded when it was uploaded.
///
/// @param values never changed
@SuppressWarnings("ArrayRecordComponent") // compared by identity only
record CpuVector(String name, QuantType type, Shape shape, float[] values) implements Weight {}
