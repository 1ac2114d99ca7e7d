package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Native memory for gigabytes: zero pages straight from the system, in huge pages where it has them. An arena would
/// write zeros into all of it first, by one thread.
public final class LargeMemory {
    private static final int READ_WRITE = 3;
    private static final int LINUX_PRIVATE_ANONYMOUS = 0x22;
    private static final int MAC_PRIVATE_ANONYMOUS = 0x1002;
    private static final int NO_FILE = -1;
    private static final long ALIGNMENT = 64;

    private LargeMemory() {}

    /// Zeroed memory, aligned to at least 64 bytes, that is freed with `arena`. What is never touched takes none.
    ///
    /// @throws OutOfMemoryError when the system has no room for it
    // Memory from the system has no length of its own: that of the request is given to it.
    @SuppressWarnings("restricted")
    public static MemorySegment allocate(long bytes, Arena arena) {
        Optional<MethodHandle> mmap = Holder.MMAP;
        if (mmap.isEmpty() || Holder.MUNMAP.isEmpty() || bytes == 0) {
            return arena.allocate(bytes, ALIGNMENT);
        }
        int flags = Os.isMac() ? MAC_PRIVATE_ANONYMOUS : LINUX_PRIVATE_ANONYMOUS;
        MethodHandle map = mmap.get();
        LibC.Answer answer = LibC.call(map, (f, state) ->
                (long) f.invokeExact(state, MemorySegment.NULL, bytes, READ_WRITE, flags, NO_FILE, 0L));
        if (answer.value() == -1) {
            throw new OutOfMemoryError("mmap of " + bytes + " bytes: " + LibC.message(answer.errno()));
        }
        MethodHandle unmap = Holder.MUNMAP.get();
        MemorySegment memory = MemorySegment.ofAddress(answer.value())
                .reinterpret(bytes, arena, m -> LibC.invoke(() -> (int) unmap.invokeExact(m, bytes)));
        MemoryAdvice.HUGE_PAGES.apply(memory);
        return memory;
    }

    private static final class Holder {
        static final Optional<MethodHandle> MMAP = Os.isLinux() || Os.isMac()
                ? LibC.withErrno(
                        "mmap",
                        FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG))
                : Optional.empty();
        static final Optional<MethodHandle> MUNMAP = LibC.plain("munmap", LibC.INT_OF_ADDRESS_SIZE);
    }
}
