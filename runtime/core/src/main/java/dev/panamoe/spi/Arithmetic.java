package dev.panamoe.spi;

/// What a device multiplies weights with. It decides how far its results may be from the reference's.
public enum Arithmetic {
    /// Activations as they are; sums in F32 or better.
    F32,
    /// Activations rounded to 8 bits a block at a time, products of integers.
    INT8
}
