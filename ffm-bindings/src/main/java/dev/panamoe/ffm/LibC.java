package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The few functions of the C library that this package calls. A function that the library lacks is a handle that is
/// absent, found when it is first used: linking costs milliseconds that a start should not pay for all of them.
final class LibC {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private LibC() {}

    /// What a C function that answers with -1 and `errno` said.
    record Answer(long value, int errno) {}

    /// The body of a call, given the memory that errno is captured in.
    @FunctionalInterface
    interface Call {
        long invoke(MethodHandle function, MemorySegment state) throws Throwable;
    }

    /// A handle of the function that takes the errno memory as its first argument; empty where it does not exist.
    // Linking a native function is what this class is for; the launcher enables native access.
    @SuppressWarnings("restricted")
    static Optional<MethodHandle> withErrno(String name, FunctionDescriptor descriptor) {
        return LINKER.defaultLookup()
                .find(name)
                .map(symbol -> LINKER.downcallHandle(symbol, descriptor, Linker.Option.captureCallState("errno")));
    }

    /// A handle of the function as it is; empty where it does not exist.
    // As above.
    @SuppressWarnings("restricted")
    static Optional<MethodHandle> plain(String name, FunctionDescriptor descriptor) {
        return LINKER.defaultLookup().find(name).map(symbol -> LINKER.downcallHandle(symbol, descriptor));
    }

    static Answer call(MethodHandle function, Call call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long value = invoke(() -> call.invoke(function, state));
            return new Answer(value, value < 0 ? state.get(JAVA_INT, ERRNO_OFFSET) : 0);
        }
    }

    /// Turns a C answer into a result whose reason reads `mlock of 4 bytes: Operation not permitted`.
    static CallResult result(Answer answer, String what) {
        return answer.value() >= 0
                ? CallResult.done()
                : new CallResult.Failed(answer.errno(), what + ": " + message(answer.errno()));
    }

    /// The C library's own words for an error number.
    static String message(int errno) {
        return Holder.STRERROR
                .map(strerror -> text((MemorySegment) invokeAny(() -> strerror.invoke(errno))))
                .orElse("error " + errno);
    }

    /// Bytes per page of memory.
    static long pageSize() {
        return Holder.PAGE_SIZE;
    }

    @FunctionalInterface
    interface LongBody {
        long run() throws Throwable;
    }

    @FunctionalInterface
    interface AnyBody {
        Object run() throws Throwable;
    }

    static long invoke(LongBody body) {
        return (long) invokeAny(body::run);
    }

    // A method handle declares Throwable; a C function throws nothing, so what arrives is a bug of ours or an error of
    // the JVM, and goes on as it is.
    private static Object invokeAny(AnyBody body) {
        try {
            return body.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    // The segment that C returns has no length: it must be opened to the end of its text.
    @SuppressWarnings("restricted")
    private static String text(@Nullable MemorySegment message) {
        return message == null || message.address() == 0
                ? "unknown error"
                : message.reinterpret(4096).getString(0);
    }

    /// Linked at the first use only.
    private static final class Holder {
        static final Optional<MethodHandle> STRERROR = plain("strerror", FunctionDescriptor.of(ADDRESS, JAVA_INT));
        static final long PAGE_SIZE = plain("getpagesize", FunctionDescriptor.of(JAVA_INT))
                .map(size -> invoke(() -> (int) size.invokeExact()))
                .orElse(4096L);
    }

    /// Descriptors shared by several bindings. `size_t` is 64 bits wide on every platform the JVM can map files on.
    static final FunctionDescriptor INT_OF_ADDRESS_SIZE = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG);
}
