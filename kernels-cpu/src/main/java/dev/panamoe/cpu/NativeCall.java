package dev.panamoe.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What a thread needs to call native kernels: memory for their argument, and for floats on the way between the Java
/// heap and them. It grows to what was wanted most.
final class NativeCall {
    private static final ThreadLocal<NativeCall> OF_THREAD = ThreadLocal.withInitial(NativeCall::new);

    /// The largest argument structure.
    private static final int FIELDS = 12;

    private static final int ALIGNMENT = 64;

    private final MemorySegment arguments = Arena.ofAuto().allocate(8 * FIELDS, ALIGNMENT);
    private MemorySegment floats = MemorySegment.NULL;

    private NativeCall() {}

    /// This thread's.
    static NativeCall get() {
        return OF_THREAD.get();
    }

    /// Sets field `index` of the argument.
    void set(int index, long value) {
        arguments.set(ValueLayout.JAVA_LONG, 8L * index, value);
    }

    /// Address of the argument.
    long address() {
        return arguments.address();
    }

    /// Memory for `count` floats, contents unknown.
    MemorySegment floats(int count) {
        long bytes = 4L * count;
        if (floats.byteSize() < bytes) {
            floats = Arena.ofAuto().allocate(bytes, ALIGNMENT);
        }
        return floats;
    }
}
