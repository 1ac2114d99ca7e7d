package dev.panamoe.cpu;

import jdk.incubator.vector.FloatVector;

/// Apart from {@link CpuProvider}, which must load where the Vector API is missing.
final class VectorWidth {
    private VectorWidth() {}

    /// Bits of the vectors that this machine does best.
    static int preferred() {
        return FloatVector.SPECIES_PREFERRED.vectorBitSize();
    }
}
