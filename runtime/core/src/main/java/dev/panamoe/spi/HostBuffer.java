package dev.panamoe.spi;

import dev.panamoe.PanamoeException;

/// A buffer on the Java heap, for backends that compute there. (Activations are small beside weights, and the JIT
/// compiles loops over arrays best.)
public final class HostBuffer implements Buffer {
    /// The virtual machine refuses longer arrays, whatever its heap.
    private static final int LONGEST = Integer.MAX_VALUE - 8;

    private static final float[] NO_FLOATS = {};
    private static final int[] NO_INTS = {};

    private final Kind kind;
    private float[] floats;
    private int[] ints;

    private HostBuffer(Kind kind, int size) {
        this.kind = kind;
        this.floats = kind == Kind.F32 ? new float[size] : NO_FLOATS;
        this.ints = kind == Kind.I32 ? new int[size] : NO_INTS;
    }

    /// Zeroed memory for `size` values.
    ///
    /// @throws PanamoeException when the heap is too small: how much was wanted, how much there is
    public static HostBuffer allocate(Kind kind, long size) {
        if (size < 0 || size > LONGEST) {
            throw new PanamoeException("a buffer of " + size + " values was wanted, at most " + LONGEST
                    + " are possible; use a smaller --ctx");
        }
        try {
            return new HostBuffer(kind, (int) size);
        } catch (OutOfMemoryError e) {
            throw new PanamoeException(
                    "a buffer of " + ((size * 4) >> 20) + " MiB was wanted, but only " + (freeHeap() >> 20)
                            + " MiB of the Java heap are free; use a larger heap (-Xmx)",
                    e);
        }
    }

    /// Bytes that the heap can still give.
    public static long freeHeap() {
        Runtime vm = Runtime.getRuntime();
        return vm.maxMemory() - vm.totalMemory() + vm.freeMemory();
    }

    /// The values of the buffer that rows lie in.
    public static float[] floats(Rows rows) {
        return ((HostBuffer) rows.buffer()).floats;
    }

    /// The values of the buffer that ids lie in.
    public static int[] ints(Ids ids) {
        return ((HostBuffer) ids.buffer()).ints;
    }

    /// See {@link Device#write(Ids, int[])}.
    public static void write(Ids ids, int[] source) {
        System.arraycopy(source, 0, ints(ids), ids.offset(), ids.rows() * ids.cols());
    }

    /// See {@link Device#write(Rows, float[])}.
    public static void write(Rows rows, float[] source) {
        for (int r = 0; r < rows.rows(); r++) {
            System.arraycopy(source, r * rows.cols(), floats(rows), rows.offset() + r * rows.stride(), rows.cols());
        }
    }

    /// See {@link Device#read(Rows, float[], int)}.
    public static void read(Rows rows, float[] target, int offset) {
        for (int r = 0; r < rows.rows(); r++) {
            System.arraycopy(
                    floats(rows), rows.offset() + r * rows.stride(), target, offset + r * rows.cols(), rows.cols());
        }
    }

    /// See {@link Device#read(Ids, int[])}.
    public static void read(Ids ids, int[] target) {
        System.arraycopy(ints(ids), ids.offset(), target, 0, ids.rows() * ids.cols());
    }

    @Override
    public Kind kind() {
        return kind;
    }

    @Override
    public long size() {
        return kind == Kind.F32 ? floats.length : ints.length;
    }

    @Override
    public void close() {
        floats = NO_FLOATS;
        ints = NO_INTS;
    }
}
