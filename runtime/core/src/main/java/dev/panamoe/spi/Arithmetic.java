package dev.panamoe.spi;

/// What a device multiplies weights with. It decides which results of the reference its own are compared with.
public enum Arithmetic {
    /// Activations as they are; sums in F32 or better.
    F32,
    /// Activations rounded to 8 bits as {@link Rounding} says; products of integers or, in the reference, of what these
    /// stand for.
    INT8
}
