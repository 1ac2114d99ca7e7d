package dev.panamoe.tensor;

import java.lang.foreign.MemorySegment;

/// A named tensor in memory that somebody else owns (usually the mapped model file). Rows are contiguous, and so
/// are slices: row `r` of slice `e` starts at byte `(e * rows + r) * rowBytes`.
///
/// @param name name in the file, for messages
/// @param type storage type
/// @param shape dimensions, contiguous one first
/// @param data exactly the tensor's bytes, little-endian, of any alignment
public record TensorView(String name, QuantType type, Shape shape, MemorySegment data) {
    public TensorView {
        long want = byteSize(type, shape);
        if (data.byteSize() != want) {
            throw new IllegalArgumentException(
                    name + ": " + type + " " + shape + " takes " + want + " bytes, got " + data.byteSize());
        }
    }

    /// Bytes that a tensor of this type and shape takes.
    ///
    /// @throws IllegalArgumentException when the rows are not whole blocks
    /// @throws ArithmeticException when the size does not fit 64 bits
    public static long byteSize(QuantType type, Shape shape) {
        return Math.multiplyExact(type.rowBytes(shape.cols()), Math.multiplyExact(shape.rows(), shape.slices()));
    }

    public long rowBytes() {
        return type.rowBytes(shape.cols());
    }

    /// Bytes of one slice.
    public long sliceBytes() {
        return rowBytes() * shape.rows();
    }

    /// The matrix `e` of a three-dimensional tensor.
    public TensorView slice(long e) {
        return new TensorView(
                name + "[" + e + "]",
                type,
                Shape.of(shape.cols(), shape.rows()),
                data.asSlice(e * sliceBytes(), sliceBytes()));
    }
}
