package dev.panamoe.opencl;

import dev.panamoe.spi.Rows;

/// Where rows lie in the memory of a device. Places are kept and set anew, so that launches make no objects.
///
/// Rows that products read begin at a multiple of 4 values, are a multiple of 4 apart, and have zeros up to a multiple
/// of 32 columns; or they are rounded to 8 bits, and words are counted instead of values.
final class Place {
    private long buffer;
    private int offset;
    private int stride;

    /// @param offset, stride in values, or in words of rounded rows
    Place at(long buffer, int offset, int stride) {
        this.buffer = buffer;
        this.offset = offset;
        this.stride = stride;
        return this;
    }

    Place at(Rows rows) {
        return at(OpenClBuffer.of(rows), rows.offset(), rows.stride());
    }

    long buffer() {
        return buffer;
    }

    int offset() {
        return offset;
    }

    int stride() {
        return stride;
    }
}
