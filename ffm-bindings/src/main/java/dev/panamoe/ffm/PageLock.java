package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalLong;

/// Keeps memory from being swapped out or dropped: `mlock`. Locks do not count: one unlock undoes every lock of a page,
/// and unmapping undoes it too.
public final class PageLock {
    private PageLock() {}

    /// Reads the pages of a native or mapped segment in and keeps them in memory; returns when they are all there. A
    /// failure says what the system allows.
    public static CallResult lock(MemorySegment segment) {
        CallResult result = apply("mlock", Holder.MLOCK, segment);
        return result instanceof CallResult.Failed(int errno, String reason) && errno != 0
                ? new CallResult.Failed(errno, reason + limitAsText())
                : result;
    }

    /// Lets the pages of the segment go again, including what of their first and last page lies outside of it.
    public static CallResult unlock(MemorySegment segment) {
        return apply("munlock", Holder.MUNLOCK, segment);
    }

    /// Bytes that this process may lock; empty where there is no limit or none is known.
    public static OptionalLong limit() {
        if (!(Os.isLinux() || Os.isMac()) || Holder.GETRLIMIT.isEmpty()) {
            return OptionalLong.empty();
        }
        int memlock = Os.isLinux() ? 8 : 6; // RLIMIT_MEMLOCK
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limits = arena.allocate(JAVA_LONG, 2); // struct rlimit: soft, hard
            LibC.Answer answer =
                    LibC.call(Holder.GETRLIMIT.get(), (f, state) -> (int) f.invokeExact(state, memlock, limits));
            long soft = limits.get(JAVA_LONG, 0);
            // RLIM_INFINITY is 2^64-1 on Linux and 2^63-1 on macOS.
            return answer.value() < 0 || soft < 0 || soft == Long.MAX_VALUE
                    ? OptionalLong.empty()
                    : OptionalLong.of(soft);
        }
    }

    private static CallResult apply(String name, Optional<MethodHandle> function, MemorySegment segment) {
        if (!(Os.isLinux() || Os.isMac()) || function.isEmpty()) {
            return CallResult.unsupported(name);
        }
        if (!segment.isNative()) {
            return new CallResult.Failed(0, name + " is for native memory, not for a Java array");
        }
        Pages pages = Pages.covering(segment);
        if (pages.bytes() == 0) {
            return CallResult.done();
        }
        LibC.Answer answer =
                LibC.call(function.get(), (f, state) -> (int) f.invokeExact(state, pages.address(), pages.bytes()));
        return LibC.result(answer, name + " of " + segment.byteSize() + " bytes");
    }

    private static String limitAsText() {
        OptionalLong limit = limit();
        return limit.isPresent()
                ? "; this process may lock " + limit.getAsLong() + " bytes (raise it with ulimit -l)"
                : "";
    }

    private static final class Holder {
        static final Optional<MethodHandle> MLOCK = LibC.withErrno("mlock", LibC.INT_OF_ADDRESS_SIZE);
        static final Optional<MethodHandle> MUNLOCK = LibC.withErrno("munlock", LibC.INT_OF_ADDRESS_SIZE);
        static final Optional<MethodHandle> GETRLIMIT =
                LibC.withErrno("getrlimit", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    }
}
