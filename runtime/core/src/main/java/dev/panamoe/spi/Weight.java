package dev.panamoe.spi;

import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;

/// A weight as its device holds it: immutable, shared by all sessions, alive as long as the device.
public interface Weight {
    /// Name in the model file, for messages.
    String name();

    QuantType type();

    Shape shape();
}
