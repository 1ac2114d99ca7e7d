package dev.panamoe.spi;

/// A buffer on the Java heap, for backends that compute there. (Activations are small beside weights, and the JIT
/// compiles loops over arrays best.)
public final class HostBuffer implements Buffer {
    private static final float[] NO_FLOATS = {};
    private static final int[] NO_INTS = {};

    private final Kind kind;
    private float[] floats;
    private int[] ints;

    public HostBuffer(Kind kind, long size) {
        this.kind = kind;
        int n = Math.toIntExact(size);
        this.floats = kind == Kind.F32 ? new float[n] : NO_FLOATS;
        this.ints = kind == Kind.I32 ? new int[n] : NO_INTS;
    }

    @Override
    public Kind kind() {
        return kind;
    }

    @Override
    public long size() {
        return kind == Kind.F32 ? floats.length : ints.length;
    }

    /// The values of an F32 buffer, shared.
    public float[] floats() {
        return floats;
    }

    /// The values of an I32 buffer, shared.
    public int[] ints() {
        return ints;
    }

    @Override
    public void close() {
        floats = NO_FLOATS;
        ints = NO_INTS;
    }
}
