package dev.panamoe.cpu;

import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.MemorySegment;

/// A matrix, or several, re-packed.
///
/// @param data of native memory; slice `s` begins at byte `s * packed.sliceBytes(rows, cols)`
/// @param cols length of a row
/// @param rows of one slice
record PackedWeight(String name, PackedType packed, Shape shape, MemorySegment data, int cols, int rows, int slices)
        implements Matrix {
    @Override
    public QuantType type() {
        return packed.stored();
    }

    /// Groups of sixteen rows of one slice.
    int groups() {
        return Math.ceilDiv(rows, PackedType.ROWS);
    }

    /// Byte of group `group` of slice `slice`.
    long offset(int slice, int group) {
        return slice * packed.sliceBytes(rows, cols) + group * packed.groupBytes(cols);
    }
}
