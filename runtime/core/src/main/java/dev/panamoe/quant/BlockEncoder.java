package dev.panamoe.quant;

import java.lang.foreign.MemorySegment;

/// Stores floats as one storage type, by the rounding rules of the GGUF reference: what caches do with keys and values.
/// NaN stays NaN. Encoders have no state and may be shared by threads.
public interface BlockEncoder {
    /// Encodes `count` consecutive values.
    ///
    /// @param src values
    /// @param at index of the first value in `src`
    /// @param dst receives blocks, little-endian, of any alignment
    /// @param offset byte offset of the first block in `dst`
    /// @param count number of values, a multiple of the type's block size
    /// @throws IllegalArgumentException when `count` is negative or no whole number of blocks
    /// @throws IndexOutOfBoundsException when `src` or `dst` is too small
    void encode(float[] src, int at, MemorySegment dst, long offset, int count);
}
