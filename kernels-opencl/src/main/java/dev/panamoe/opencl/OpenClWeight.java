package dev.panamoe.opencl;

import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import java.util.List;

/// What a device holds of a weight.
sealed interface OpenClWeight extends Weight {
    /// No buffer.
    long NONE = 0;

    /// A matrix, or several of a shape, in the packed layout.
    ///
    /// @param pieces of the panels of all slices, in order: a device limits the size of an allocation
    /// @param factors a buffer of one factor a slice; {@link #NONE} where all are 1
    /// @param firstFactor of the first slice, the only one of an embedding table
    record Matrix(String name, PackedFormat format, Shape shape, List<Piece> pieces, long factors, float firstFactor)
            implements OpenClWeight {
        @Override
        public QuantType type() {
            return format.type();
        }

        int rows() {
            return Math.toIntExact(shape.rows());
        }

        int cols() {
            return Math.toIntExact(shape.cols());
        }

        int slices() {
            return Math.toIntExact(shape.slices());
        }

        boolean hasFactors() {
            return factors != NONE;
        }

        /// The factors, or any other buffer where there are none.
        long factorsOr(long other) {
            return hasFactors() ? factors : other;
        }

        /// Panels of a slice.
        int panels() {
            return PackedFormat.panels(shape.rows());
        }

        /// Groups of 32 columns.
        int groups() {
            return format.blocks(shape.cols()) * (format.values() / PackedFormat.PANEL);
        }
    }

    /// Panels `from` to `to - 1`.
    ///
    /// @param words, tails buffers; tails is words where the format has none
    record Piece(int from, int to, long words, long tails) {}

    /// F32 values as they are.
    record Vector(String name, QuantType type, Shape shape, long values) implements OpenClWeight {}

    static Matrix matrix(Weight w) {
        return (Matrix) w;
    }

    static long vector(Weight w) {
        return ((Vector) w).values();
    }
}
