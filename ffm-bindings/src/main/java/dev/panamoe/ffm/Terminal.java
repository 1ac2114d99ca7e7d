package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Whether a descriptor is a terminal. `System.console()` answers for standard input and output together only, and for
/// standard error not at all.
public final class Terminal {
    private static final Optional<MethodHandle> ISATTY =
            LibC.plain("isatty", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private Terminal() {}

    /// @param descriptor 0 for standard input, 1 for standard output, 2 for standard error
    /// @return false too where the C library has no `isatty`
    public static boolean isTerminal(int descriptor) {
        return ISATTY.isPresent() && LibC.invoke(() -> (int) ISATTY.get().invokeExact(descriptor)) == 1;
    }
}
