package dev.panamoe.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/// The four functions that tell which devices there are, for a probe: LWJGL would take half a second to start, and
/// every start of Panamoe probes. Addresses are of memory that lives until the call returns.
final class ClQueries {
    private final MethodHandle getPlatformIds;
    private final MethodHandle getPlatformInfo;
    private final MethodHandle getDeviceIds;
    private final MethodHandle getDeviceInfo;

    /// @param library the OpenCL loader
    /// @throws java.util.NoSuchElementException when it lacks one of them
    ClQueries(SymbolLookup library) {
        FunctionDescriptor info = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        getPlatformIds =
                link(library, "clGetPlatformIDs", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
        getPlatformInfo = link(library, "clGetPlatformInfo", info);
        getDeviceIds = link(
                library,
                "clGetDeviceIDs",
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG));
        getDeviceInfo = link(library, "clGetDeviceInfo", info);
    }

    // The library of OpenCL is what this module is for; the launcher enables native access.
    @SuppressWarnings("restricted")
    private static MethodHandle link(SymbolLookup library, String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), descriptor);
    }

    int getPlatformIds(int room, long platforms, long count) {
        return call(() -> (int) getPlatformIds.invokeExact(room, platforms, count));
    }

    int getPlatformInfo(long platform, int key, long size, long value, long sizeReturned) {
        return call(() -> (int) getPlatformInfo.invokeExact(platform, key, size, value, sizeReturned));
    }

    int getDeviceIds(long platform, long types, int room, long devices, long count) {
        return call(() -> (int) getDeviceIds.invokeExact(platform, types, room, devices, count));
    }

    int getDeviceInfo(long device, int key, long size, long value, long sizeReturned) {
        return call(() -> (int) getDeviceInfo.invokeExact(device, key, size, value, sizeReturned));
    }

    @FunctionalInterface
    private interface Call {
        int invoke() throws Throwable;
    }

    // A method handle declares Throwable; a C function throws nothing, so what arrives is a bug of ours or an error of
    // the JVM, and goes on as it is.
    private static int call(Call call) {
        try {
            return call.invoke();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }
}
