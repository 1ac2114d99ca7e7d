package dev.panamoe.opencl;

import java.util.Locale;
import java.util.Optional;

/// How a device multiplies four signed bytes with four others and adds up: the word `DOT4` of `prelude.cl`. The result
/// is the same whichever way; what differs is whether it is one instruction.
///
/// @param way that the kernels take
/// @param reason for `panamoe devices`
record Dot4(Way way, String reason) {
    /// NVIDIA's first with the instruction `dp4a`.
    private static final int DP4A = 61;

    enum Way {
        /// A function of OpenCL C.
        EXTENSION("-D DOT4_EXTENSION"),
        /// NVIDIA's assembler: its OpenCL C has no word for it.
        PTX("-D DOT4_PTX"),
        /// Several instructions, so that floats are as fast.
        PLAIN("");

        /// For the compiler.
        final String options;

        Way(String options) {
            this.options = options;
        }
    }

    static final String EXTENSION = "cl_khr_integer_dot_product";

    /// @param packed whether the device has the extension {@link #EXTENSION} for bytes packed into words
    /// @param accelerated what the extension says of its own speed; its first version says nothing
    /// @param capability NVIDIA's number for what the device can do: 61 for 6.1; 0 for other devices
    static Dot4 of(boolean packed, Optional<Boolean> accelerated, int capability) {
        if (capability >= DP4A) {
            return new Dot4(Way.PTX, "8-bit products by dp4a (compute capability " + dotted(capability) + ")");
        }
        if (packed && accelerated.orElse(true)) {
            return new Dot4(Way.EXTENSION, "8-bit products by " + EXTENSION);
        }
        String lack = packed
                ? EXTENSION + " is not accelerated"
                : capability > 0 ? "compute capability " + dotted(capability) + " has no dp4a" : "no " + EXTENSION;
        return new Dot4(Way.PLAIN, "float products (" + lack + ")");
    }

    private static String dotted(int capability) {
        return String.format(Locale.ROOT, "%d.%d", capability / 10, capability % 10);
    }

    /// What is left where the way fails.
    static Dot4 failed(String failure) {
        return new Dot4(Way.PLAIN, "float products (" + failure + ")");
    }

    /// Whether products of integers are faster than those of floats.
    boolean isFast() {
        return way != Way.PLAIN;
    }
}
