package dev.panamoe.opencl;

import dev.panamoe.ffm.Os;
import dev.panamoe.spi.Probe.Unusable;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the OpenCL loader of this machine: a library that hands every call on to the drivers registered with it.
final class ClLibrary {
    /// Names the loader's file where it is none of the usual ones.
    static final String VARIABLE = "PANAMOE_OPENCL_LIBRARY";

    /// What to do where a loader or a driver is missing.
    static final String INSTALL = Os.isLinux()
            ? "install the OpenCL driver of your GPU's vendor: NVIDIA's driver and AMD's ROCm bring it; Debian and Ubuntu:"
                    + " sudo apt install ocl-icd-libopencl1 and, for Intel, intel-opencl-icd"
            : "install the driver of your GPU's vendor";

    private ClLibrary() {}

    /// A library whose functions can be called, or why there is none.
    sealed interface Found {
        record Loader(SymbolLookup functions) implements Found {}

        record Nothing(Unusable why) implements Found {}
    }

    /// @param environment may name it in {@link #VARIABLE}
    static Found find(Map<String, String> environment) {
        String asked = environment.getOrDefault(VARIABLE, "");
        List<String> names = asked.isEmpty() ? usualNames() : List.of(asked);
        for (String name : names) {
            Optional<SymbolLookup> library = open(name, Arena.global());
            if (library.isPresent()) {
                return library.get().find("clGetPlatformIDs").isPresent()
                        ? new Found.Loader(library.get())
                        : nothing(name + " has no function clGetPlatformIDs", asked);
            }
        }
        return nothing(
                asked.isEmpty() ? "there is no " + names.getFirst() : VARIABLE + "=" + asked + " cannot be loaded",
                asked);
    }

    private static Found nothing(String why, String asked) {
        return new Found.Nothing(new Unusable(
                "no OpenCL loader; " + why,
                asked.isEmpty()
                        ? INSTALL
                        : "let " + VARIABLE + " name the loader's file, such as /opt/lib/libOpenCL.so.1, or unset it"));
    }

    private static List<String> usualNames() {
        if (Os.isMac()) {
            return List.of("/System/Library/Frameworks/OpenCL.framework/OpenCL");
        }
        // Without its development package a Linux has no libOpenCL.so.
        return Os.isLinux() ? List.of("libOpenCL.so.1", "libOpenCL.so") : List.of("OpenCL.dll");
    }

    /// A library by its file or, where the system looks for libraries, by its name.
    // The library of OpenCL is what this module is for; the launcher enables native access.
    @SuppressWarnings("restricted")
    static Optional<SymbolLookup> open(String name, Arena arena) {
        try {
            return Optional.of(SymbolLookup.libraryLookup(name, arena));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
