package dev.panamoe.cpu;

import dev.panamoe.tensor.QuantType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// The storage types that this backend re-packs at upload: rows interleaved sixteen at a time. The layout, the form of
/// the activations and the order of the sums are in `docs/packed-weights.md` of this module.
enum PackedType {
    Q4_0(QuantType.Q4_0, 64, 576, Correction.OFFSET, 8),
    Q5_0(QuantType.Q5_0, 64, 704, Correction.OFFSET, 16),
    Q8_0(QuantType.Q8_0, 64, 1088, Correction.OFFSET, 128),
    IQ4_NL(QuantType.IQ4_NL, 64, 576, Correction.OFFSET, 128),
    MXFP4(QuantType.MXFP4, 64, 544, Correction.OFFSET, 12),
    Q4_K(QuantType.Q4_K, 256, 2368, Correction.MINIMA, 0),
    Q5_K(QuantType.Q5_K, 256, 2880, Correction.MINIMA, 0),
    Q6_K(QuantType.Q6_K, 256, 3392, Correction.OFFSET_OF_HALVES, 32),
    F16(QuantType.F16, 4, 128, Correction.FLOATS, 0),
    BF16(QuantType.BF16, 4, 128, Correction.FLOATS, 0);

    /// What a kernel needs of the activations beside their 8-bit values: the array `z`.
    enum Correction {
        /// i32 `-offset * sum` of each block.
        OFFSET,
        /// i32 `-offset * sum` of each half of a block.
        OFFSET_OF_HALVES,
        /// f32 `d * sum` of each block.
        MINIMA,
        /// Activations stay f32.
        FLOATS
    }

    /// Rows of a group.
    static final int ROWS = 16;

    private static final Map<QuantType, PackedType> BY_TYPE = new EnumMap<>(QuantType.class);

    static {
        for (PackedType type : values()) {
            BY_TYPE.put(type.stored, type);
        }
    }

    private final QuantType stored;
    private final int unitCols;
    private final int unitBytes;
    private final Correction correction;
    private final int offset;

    PackedType(QuantType stored, int unitCols, int unitBytes, Correction correction, int offset) {
        this.stored = stored;
        this.unitCols = unitCols;
        this.unitBytes = unitBytes;
        this.correction = correction;
        this.offset = offset;
    }

    /// How weights of a type are packed; empty when they are computed on as they are.
    static Optional<PackedType> of(QuantType type) {
        return Optional.ofNullable(BY_TYPE.get(type));
    }

    /// The type in the file.
    QuantType stored() {
        return stored;
    }

    /// Columns of a unit.
    int unitCols() {
        return unitCols;
    }

    /// Bytes of a unit of sixteen rows.
    int unitBytes() {
        return unitBytes;
    }

    Correction correction() {
        return correction;
    }

    /// What is subtracted from a stored (or looked-up) number to get the signed one.
    int offset() {
        return offset;
    }

    boolean floatActivations() {
        return correction == Correction.FLOATS;
    }

    /// Units of a row of `cols` columns.
    int units(int cols) {
        return Math.ceilDiv(cols, unitCols);
    }

    /// Columns with those that fill the last unit.
    int paddedCols(int cols) {
        return units(cols) * unitCols;
    }

    /// Bytes of a group of sixteen rows.
    long groupBytes(int cols) {
        return (long) units(cols) * unitBytes;
    }

    /// Bytes of a matrix; a multiple of 64.
    long sliceBytes(int rows, int cols) {
        long bytes = Math.multiplyExact(Math.ceilDiv(rows, ROWS), groupBytes(cols));
        return Math.addExact(bytes, 63) & -64;
    }
}
