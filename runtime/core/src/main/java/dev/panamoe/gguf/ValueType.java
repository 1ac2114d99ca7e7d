package dev.panamoe.gguf;

import java.util.Locale;
import java.util.Optional;

/// The metadata value types of the format; the ordinal is the type's number in the file.
enum ValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(0),
    ARRAY(0),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final ValueType[] BY_ID = values();

    /// Bytes of a value; 0 where the length stands in the file.
    final int bytes;

    ValueType(int bytes) {
        this.bytes = bytes;
    }

    static Optional<ValueType> byId(int id) {
        return id >= 0 && id < BY_ID.length ? Optional.of(BY_ID[id]) : Optional.empty();
    }

    /// As messages and `inspect` name it: `uint32`.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
