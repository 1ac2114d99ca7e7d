package dev.panamoe.opencl;

import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;

/// Activations or ids on the device.
final class OpenClBuffer implements Buffer {
    private final Memory memory;
    private final Kind kind;
    private final long size;
    private long handle;

    /// Of ids: the values that the host wrote last, from which launches are sized; nothing where it wrote none.
    private int[] written = {};

    private int writtenAt;
    private int writtenCount;

    OpenClBuffer(Memory memory, Kind kind, long size) {
        this.memory = memory;
        this.kind = kind;
        this.size = size;
        this.handle = memory.allocateZeroed(Math.max(1, size) * Integer.BYTES, "a buffer of " + size + " values");
    }

    static long of(Rows rows) {
        return ((OpenClBuffer) rows.buffer()).handle;
    }

    static long of(Ids ids) {
        return ((OpenClBuffer) ids.buffer()).handle;
    }

    /// Remembers what the host writes.
    void wrote(Ids ids, int[] source) {
        int count = ids.rows() * ids.cols();
        if (written.length < count) {
            written = new int[count];
        }
        System.arraycopy(source, 0, written, 0, count);
        writtenAt = ids.offset();
        writtenCount = count;
    }

    /// The largest of some ids, if the host wrote them last; -1 if it did not. No id is negative.
    static int largest(Ids ids) {
        OpenClBuffer buffer = (OpenClBuffer) ids.buffer();
        int from = ids.offset() - buffer.writtenAt;
        int count = ids.rows() * ids.cols();
        int largest = -1;
        if (from >= 0 && from + count <= buffer.writtenCount) {
            for (int i = from; i < from + count; i++) {
                largest = Math.max(largest, buffer.written[i]);
            }
        }
        return largest;
    }

    /// Forgets what the host wrote: the device writes now.
    static void written(Ids ids) {
        ((OpenClBuffer) ids.buffer()).writtenCount = 0;
    }

    @Override
    public Kind kind() {
        return kind;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void close() {
        memory.free(handle);
        handle = 0;
    }
}
