package dev.panamoe.cpu;

import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A matrix, or several, read in place.
///
/// @param data of native memory: one kind of segment keeps the kernels' reads free of type checks
/// @param sliceStarts the first byte of each slice; null = `sliceStride` apart
/// @param cols length of a row
/// @param rows of one slice
/// @param factors on the values of a slice, one a slice; null = all 1
@SuppressWarnings("ArrayRecordComponent") // compared by identity only
record CpuWeight(
        String name,
        QuantType type,
        Shape shape,
        MemorySegment data,
        long sliceStride,
        long @Nullable [] sliceStarts,
        long rowBytes,
        int cols,
        int rows,
        int slices,
        float @Nullable [] factors,
        WeightFormat format)
        implements Weight {
    /// What tasks hold before their first run: one zero.
    static final CpuWeight NONE = new CpuWeight(
            "none",
            QuantType.F32,
            Shape.of(1),
            Arena.global().allocate(4),
            4,
            null,
            4,
            1,
            1,
            1,
            null,
            WeightFormat.of(QuantType.F32));

    /// Byte of row `row` of slice `slice`.
    long offset(int slice, int row) {
        return (sliceStarts == null ? slice * sliceStride : sliceStarts[slice]) + row * rowBytes;
    }

    /// What products with slice `slice` are multiplied by.
    float factor(int slice) {
        return factors == null ? 1 : factors[slice];
    }
}
