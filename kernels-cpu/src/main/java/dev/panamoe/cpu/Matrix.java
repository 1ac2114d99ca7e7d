package dev.panamoe.cpu;

import dev.panamoe.spi.Weight;

/// A matrix, or several, as this backend holds them: as they lie in the file, or packed.
sealed interface Matrix extends Weight permits CpuWeight, PackedWeight {
    /// Length of a row.
    int cols();

    /// Rows of one slice.
    int rows();

    int slices();
}
