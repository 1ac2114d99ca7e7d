package dev.panamoe.opencl;

import static org.lwjgl.opencl.CL10.CL_BUILD_PROGRAM_FAILURE;
import static org.lwjgl.opencl.CL10.CL_PROGRAM_BINARIES;
import static org.lwjgl.opencl.CL10.CL_PROGRAM_BINARY_SIZES;
import static org.lwjgl.opencl.CL10.CL_PROGRAM_BUILD_LOG;
import static org.lwjgl.opencl.CL10.clReleaseProgram;
import static org.lwjgl.opencl.CL10.nclBuildProgram;
import static org.lwjgl.opencl.CL10.nclCreateProgramWithBinary;
import static org.lwjgl.opencl.CL10.nclCreateProgramWithSource;
import static org.lwjgl.opencl.CL10.nclGetProgramBuildInfo;
import static org.lwjgl.opencl.CL10.nclGetProgramInfo;

import dev.panamoe.PanamoeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// Builds programs for one device, and keeps what its compiler made of them, so that the next start need not compile:
/// for a key of source, options, device and driver. A binary that the driver does not take is as good as none.
///
/// May be used by many threads.
final class ProgramCache {
    private static final int MAX_BINARY_BYTES = 64 << 20;

    private static final int SLACK = 4096;

    /// The beginning of a compiler's output says what is wrong.
    private static final int MAX_LOG_CHARS = 8000;

    private final ClDevice device;
    private final long context;
    private final KeptFiles files;
    private final AtomicInteger builds = new AtomicInteger();
    private final AtomicInteger loads = new AtomicInteger();

    /// @param context a `cl_context` of the device alone
    /// @param files where binaries are kept
    ProgramCache(ClDevice device, long context, KeptFiles files) {
        this.device = device;
        this.context = context;
        this.files = files;
    }

    /// How many programs were built from their source.
    int builds() {
        return builds.get();
    }

    /// How many programs came from a file.
    int loads() {
        return loads.get();
    }

    /// A program that is built.
    ///
    /// @param name for its file and for messages
    /// @return its `cl_program`, which the caller releases
    /// @throws PanamoeException with the compiler's log when it cannot be built
    long get(String name, String source, String options) {
        byte[] key = key(options, source);
        Optional<Long> kept = files.get(name, key).flatMap(binary -> fromBinary(binary, options));
        if (kept.isPresent()) {
            loads.incrementAndGet();
            return kept.get();
        }
        long program = fromSource(name, source, options);
        builds.incrementAndGet();
        toBinary(program).ifPresent(binary -> files.put(name, key, binary));
        return program;
    }

    /// A key of the device, its driver and these texts.
    byte[] key(String options, String source) {
        return KeptFiles.key(
                device.name(), device.platformName(), device.platformVersion(), device.driver(), options, source);
    }

    private long fromSource(String name, String source, String options) {
        String what = device.id() + ": the program " + name;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment texts = arena.allocateFrom(
                    ValueLayout.JAVA_LONG, arena.allocateFrom(source).address());
            MemorySegment code = arena.allocate(ValueLayout.JAVA_INT);
            long program = nclCreateProgramWithSource(context, 1, texts.address(), 0, code.address());
            Cl.check(code.get(ValueLayout.JAVA_INT, 0), what);
            int built = build(program, options, arena);
            if (built == 0) {
                return program;
            }
            String log = built == CL_BUILD_PROGRAM_FAILURE ? log(program) : "";
            clReleaseProgram(program);
            throw new PanamoeException(
                    what + " cannot be built: " + ClErrors.describe(built) + (log.isEmpty() ? "" : "\n" + log));
        }
    }

    private int build(long program, String options, Arena arena) {
        MemorySegment devices = arena.allocateFrom(ValueLayout.JAVA_LONG, device.device());
        return nclBuildProgram(
                program, 1, devices.address(), arena.allocateFrom(options).address(), 0, 0);
    }

    private String log(long program) {
        try {
            String log = Cl.text(
                    "the compiler's output",
                    (size, value, returned) -> nclGetProgramBuildInfo(
                            program, device.device(), CL_PROGRAM_BUILD_LOG, size, value, returned));
            return log.length() > MAX_LOG_CHARS ? log.substring(0, MAX_LOG_CHARS) + " …" : log;
        } catch (PanamoeException e) {
            return "";
        }
    }

    /// @return empty when the driver does not take it
    private Optional<Long> fromBinary(byte[] binary, String options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment devices = arena.allocateFrom(ValueLayout.JAVA_LONG, device.device());
            MemorySegment lengths = arena.allocateFrom(ValueLayout.JAVA_LONG, binary.length);
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, binary);
            MemorySegment binaries = arena.allocateFrom(ValueLayout.JAVA_LONG, bytes.address());
            MemorySegment codes = arena.allocate(ValueLayout.JAVA_INT, 2);
            long program = nclCreateProgramWithBinary(
                    context,
                    1,
                    devices.address(),
                    lengths.address(),
                    binaries.address(),
                    codes.address(),
                    codes.address() + Integer.BYTES);
            if (program == 0) {
                return Optional.empty();
            }
            if (codes.getAtIndex(ValueLayout.JAVA_INT, 0) == 0
                    && codes.getAtIndex(ValueLayout.JAVA_INT, 1) == 0
                    && build(program, options, arena) == 0) {
                return Optional.of(program);
            }
            clReleaseProgram(program);
            return Optional.empty();
        }
    }

    /// @return empty when the driver does not give it
    private static Optional<byte[]> toBinary(long program) {
        try (Arena arena = Arena.ofConfined()) {
            long bytes = Cl.number(
                    "the size of a program",
                    (size, value, returned) ->
                            nclGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, size, value, returned));
            if (bytes <= 0 || bytes > MAX_BINARY_BYTES) {
                return Optional.empty();
            }
            // With room behind it, should a driver end a text with more than it counts.
            MemorySegment binary = arena.allocate(bytes + SLACK);
            MemorySegment binaries = arena.allocateFrom(ValueLayout.JAVA_LONG, binary.address());
            Cl.check(
                    nclGetProgramInfo(program, CL_PROGRAM_BINARIES, Long.BYTES, binaries.address(), 0),
                    "the binary of a program");
            return Optional.of(binary.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE));
        } catch (PanamoeException e) {
            return Optional.empty();
        }
    }
}
