package dev.panamoe.quant;

import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// The plain decode of one storage type, which defines its values. Kernels are measured against it; it is not meant to
/// be fast. Decoders have no state and may be shared by threads.
public interface BlockDecoder {
    /// The type that is decoded.
    QuantType type();

    /// Decodes `count` consecutive values.
    ///
    /// @param src encoded blocks, little-endian, of any alignment
    /// @param offset byte offset of the first block in `src`
    /// @param dst receives the values as float32
    /// @param dstOffset index of the first value in `dst`
    /// @param count number of values, a multiple of the type's block size
    /// @throws IllegalArgumentException when `count` is negative or no whole number of blocks
    /// @throws IndexOutOfBoundsException when `src` or `dst` is too small
    void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int count);
}
