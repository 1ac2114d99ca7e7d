package dev.panamoe.opencl;

import dev.panamoe.UserCache;
import dev.panamoe.ffm.Os;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.lwjgl.Version;
import org.lwjgl.opencl.CL;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.FunctionProviderLocal;

/// Gives LWJGL the OpenCL loader that was found, after which the functions of `CL10` and its siblings can be called.
///
/// Those whose names begin with `ncl` take addresses and go through the Foreign Function & Memory API. The others use
/// LWJGL's own memory, for which it unpacks a native library of its own into a file: better not to need them.
final class Lwjgl {
    private static boolean started;

    private Lwjgl() {}

    /// The functions of a library that is open. LWJGL would look for it itself, and print when it fails.
    private record Functions(SymbolLookup library) implements FunctionProviderLocal {
        @Override
        public long getFunctionAddress(CharSequence functionName) {
            return library.find(functionName.toString())
                    .map(MemorySegment::address)
                    .orElse(0L);
        }

        @Override
        public long getFunctionAddress(ByteBuffer functionName) {
            String name =
                    StandardCharsets.US_ASCII.decode(functionName.duplicate()).toString();
            return getFunctionAddress(name.replace("\0", ""));
        }

        @Override
        public long getFunctionAddress(long handle, ByteBuffer functionName) {
            return getFunctionAddress(functionName);
        }
    }

    /// Does nothing when it was done already.
    static synchronized void start(SymbolLookup library, Map<String, String> environment) {
        if (started) {
            return;
        }
        // Its other ways to reach memory are those of Unsafe, which the JVM warns of.
        set(Configuration.MEMORY_BACKEND, "ffm");
        set(Configuration.OPENCL_EXPLICIT_INIT, true);
        if (!Configuration.DEBUG.get(false)) {
            set(
                    Configuration.DEBUG_STREAM,
                    new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        }
        // Its native library, which it would put below /tmp.
        UserCache.folder(environment, "lwjgl")
                .map(folder -> folder.resolve(Version.getVersion().replace(' ', '-') + "-" + Os.architecture()))
                .ifPresent(folder -> set(Configuration.SHARED_LIBRARY_EXTRACT_PATH, folder.toString()));
        CL.create(new Functions(library));
        started = true;
    }

    /// What the user has set stays.
    private static <T> void set(Configuration<T> key, T value) {
        if (key.get() == null) {
            key.set(value);
        }
    }
}
