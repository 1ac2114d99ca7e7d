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
import dev.panamoe.UserCache;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// Builds programs for one device, and keeps what its compiler made of them in files, so that the next start need not
/// compile. A file holds
///
/// ```
/// byte 0         8                  40                  72
///      | magic    | key              | SHA-256 of the binary | binary
/// ```
///
/// The key is the SHA-256 of everything that the binary depends on: source, options, device, driver. A file that is
/// damaged, or whose binary the driver does not take, is as good as none: the program is built from its source, and the
/// file written anew, first under another name. Processes that build the same program at once both write it.
///
/// May be used by many threads.
final class ProgramCache {
    /// `0`: keep nothing and use nothing that was kept.
    static final String VARIABLE = "PANAMOE_OPENCL_CACHE";

    private static final byte[] MAGIC = "PANOCL1\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGEST_BYTES = 32;
    private static final int HEADER_BYTES = MAGIC.length + 2 * DIGEST_BYTES;
    private static final long MAX_FILE_BYTES = 256L << 20;

    private static final int SLACK = 4096;

    /// The beginning of a compiler's output says what is wrong.
    private static final int MAX_LOG_CHARS = 8000;

    private final ClDevice device;
    private final long context;
    private final Optional<Path> folder;
    private final AtomicInteger builds = new AtomicInteger();
    private final AtomicInteger loads = new AtomicInteger();

    /// With the user's folder for caches.
    ProgramCache(ClDevice device, long context) {
        this(device, context, folder(System.getenv()));
    }

    /// @param context a `cl_context` of the device alone
    /// @param folder where binaries are kept; empty to keep none
    ProgramCache(ClDevice device, long context, Optional<Path> folder) {
        this.device = device;
        this.context = context;
        this.folder = folder;
    }

    /// Where binaries are kept: the user's folder for caches.
    static Optional<Path> folder(Map<String, String> environment) {
        return "0".equals(environment.get(VARIABLE)) ? Optional.empty() : UserCache.folder(environment, "opencl");
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
        byte[] key = UserCache.digest(
                MAGIC,
                text(device.name()),
                text(device.platformName()),
                text(device.platformVersion()),
                text(device.driver()),
                text(options),
                text(source));
        Optional<Path> file = folder.map(f -> f.resolve(
                name.replaceAll("[^A-Za-z0-9._-]", "_") + "-" + HexFormat.of().formatHex(key, 0, 8) + ".bin"));
        Optional<Long> kept = file.flatMap(f -> read(f, key)).flatMap(binary -> fromBinary(binary, options));
        if (kept.isPresent()) {
            loads.incrementAndGet();
            return kept.get();
        }
        long program = fromSource(name, source, options);
        builds.incrementAndGet();
        file.ifPresent(f -> write(f, key, program));
        return program;
    }

    /// A text with its length, so that two texts in a row are never others that read the same.
    private static byte[] text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Integer.BYTES + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
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

    private static byte[] toBinary(long program) {
        long bytes = Cl.number(
                "the size of a program",
                (size, value, returned) -> nclGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, size, value, returned));
        if (bytes <= 0 || bytes > MAX_FILE_BYTES - HEADER_BYTES) {
            return new byte[0];
        }
        try (Arena arena = Arena.ofConfined()) {
            // With room behind it, should a driver end a text with more than it counts.
            MemorySegment binary = arena.allocate(bytes + SLACK);
            MemorySegment binaries = arena.allocateFrom(ValueLayout.JAVA_LONG, binary.address());
            Cl.check(
                    nclGetProgramInfo(program, CL_PROGRAM_BINARIES, Long.BYTES, binaries.address(), 0),
                    "the binary of a program");
            return binary.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// The binary in the file.
    ///
    /// @return empty when there is none of this key, or it is damaged
    private static Optional<byte[]> read(Path file, byte[] key) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MAX_FILE_BYTES) {
                return Optional.empty();
            }
            byte[] all = Files.readAllBytes(file);
            if (all.length <= HEADER_BYTES) {
                return Optional.empty();
            }
            byte[] binary = Arrays.copyOfRange(all, HEADER_BYTES, all.length);
            return MessageDigest.isEqual(Arrays.copyOf(all, HEADER_BYTES), header(key, binary))
                    ? Optional.of(binary)
                    : Optional.empty();
        } catch (IOException | SecurityException e) {
            return Optional.empty();
        }
    }

    /// Keeps the binary if it can: a full disk, say, only makes the next start slower.
    private static void write(Path file, byte[] key, long program) {
        try {
            byte[] binary = toBinary(program);
            if (binary.length == 0) {
                return;
            }
            Files.createDirectories(file.getParent());
            Path partial = Files.createTempFile(file.getParent(), "", ".partial");
            try {
                byte[] header = header(key, binary);
                byte[] all = Arrays.copyOf(header, header.length + binary.length);
                System.arraycopy(binary, 0, all, header.length, binary.length);
                Files.write(partial, all);
                move(partial, file);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException | SecurityException | PanamoeException e) {
            // As above.
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    static byte[] header(byte[] key, byte[] binary) {
        return ByteBuffer.allocate(HEADER_BYTES)
                .put(MAGIC)
                .put(key)
                .put(UserCache.digest(binary))
                .array();
    }
}
