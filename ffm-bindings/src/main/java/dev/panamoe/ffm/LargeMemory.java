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
        if (!canMap() || bytes == 0) {
            return arena.allocate(bytes, ALIGNMENT);
        }
        LibC.Answer answer = map(bytes);
        if (answer.value() == -1) {
            throw new OutOfMemoryError("mmap of " + bytes + " bytes: " + LibC.message(answer.errno()));
        }
        MemorySegment memory = MemorySegment.ofAddress(answer.value()).reinterpret(bytes, arena, LargeMemory::unmap);
        MemoryAdvice.HUGE_PAGES.apply(memory);
        return memory;
    }

    /// Whether [#map] and [#unmap] can be called.
    static boolean canMap() {
        return Holder.MMAP.isPresent() && Holder.MUNMAP.isPresent();
    }

    /// Maps zero pages that may be read and written.
    ///
    /// @return their address, or -1
    static LibC.Answer map(long bytes) {
        int flags = Os.isMac() ? MAC_PRIVATE_ANONYMOUS : LINUX_PRIVATE_ANONYMOUS;
        return LibC.call(Holder.MMAP.orElseThrow(), (f, state) ->
                (long) f.invokeExact(state, MemorySegment.NULL, bytes, READ_WRITE, flags, NO_FILE, 0L));
    }

    /// Gives pages back. The system refuses only what was not mapped.
    static void unmap(MemorySegment memory) {
        MethodHandle munmap = Holder.MUNMAP.orElseThrow();
        LibC.invoke(() -> (int) munmap.invokeExact(memory, memory.byteSize()));
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
