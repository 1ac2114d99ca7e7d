package dev.panamoe.spi;

/// Memory of one device for activations or ids. Closing frees it; a closed buffer must not be used.
public interface Buffer extends AutoCloseable {
    /// What a buffer holds.
    enum Kind {
        F32,
        I32
    }

    Kind kind();

    /// Number of values.
    long size();

    @Override
    void close();
}
