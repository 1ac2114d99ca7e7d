package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceLostException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.lwjgl.opencl.CL10;

/// What every call of OpenCL needs: its code checked, and the answers of the `clGet…Info` functions read.
final class Cl {
    /// Longer answers are no answers.
    private static final long MAX_INFO_BYTES = 64L << 20;

    private Cl() {}

    /// A function `clGet…Info` with everything given but the memory of its answer.
    @FunctionalInterface
    interface Query {
        /// @param size bytes that the answer may take
        /// @param value address to write it to, or 0
        /// @param sizeReturned address to write its true size to, or 0
        int get(long size, long value, long sizeReturned);
    }

    /// @param what the call and what it was for, such as `clCreateBuffer of 12 MiB for blk.0.ffn_up.weight`
    /// @throws DeviceLostException when `code` says that the device is gone
    /// @throws PanamoeException when `code` is another error
    static void check(int code, String what) {
        if (code != 0) {
            throw failure(code, what);
        }
    }

    /// The same where the words cost something.
    static void check(int code, Supplier<String> what) {
        if (code != 0) {
            throw failure(code, what.get());
        }
    }

    /// The same of a call that has waited for operations, and so tells of their failures too.
    static void checkDone(int code, String what) {
        if (ClErrors.isFailedOperation(code)) {
            throw new DeviceLostException(message(code, what));
        }
        check(code, what);
    }

    /// The same of a call that puts something into a queue: it may tell that what is there already has failed, which
    /// waiting for that tells too; else the failure is its own, such as a lack of memory.
    static void checkQueued(int code, long queue, String what) {
        if (ClErrors.isFailedOperation(code)) {
            checkDone(CL10.clFinish(queue), what);
        }
        check(code, what);
    }

    private static PanamoeException failure(int code, String what) {
        return ClErrors.isLostDevice(code)
                ? new DeviceLostException(message(code, what))
                : new PanamoeException(message(code, what));
    }

    private static String message(int code, String what) {
        return "OpenCL: " + what + ": " + ClErrors.describe(code);
    }

    /// The answer's bytes.
    static byte[] bytes(String what, Query query) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
            check(query.get(0, 0, size.address()), what);
            long bytes = size.get(ValueLayout.JAVA_LONG, 0);
            if (bytes < 0 || bytes > MAX_INFO_BYTES) {
                throw new PanamoeException("OpenCL: " + what + ": an answer of " + bytes + " bytes");
            }
            if (bytes == 0) {
                return new byte[0];
            }
            MemorySegment value = arena.allocate(bytes, Long.BYTES);
            check(query.get(bytes, value.address(), 0), what);
            return value.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// A text without the NUL at its end and blanks around it.
    static String text(String what, Query query) {
        return new String(bytes(what, query), StandardCharsets.UTF_8)
                .replace("\0", "")
                .strip();
    }

    /// A number of 4 or 8 bytes, of which those of 4 have no sign.
    static long number(String what, Query query) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
            check(query.get(Long.BYTES, value.address(), 0), what);
            return value.get(ValueLayout.JAVA_LONG, 0);
        }
    }
}
