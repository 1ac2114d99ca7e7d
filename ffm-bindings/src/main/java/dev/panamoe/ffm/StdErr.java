package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Gives the process the standard error that the launcher kept for it.
///
/// The JVM writes `WARNING: Using incubator modules` to file descriptor 2 while it starts, and no option stops it. So
/// the launcher starts it with descriptor 2 going through a filter that drops this one line, and keeps the user's own
/// standard error open as another descriptor, whose number it passes in the property `panamoe.stderr`.
public final class StdErr {
    /// The system property with the number of the descriptor.
    public static final String PROPERTY = "panamoe.stderr";

    private static final int STDERR = 2;

    private StdErr() {}

    /// Makes descriptor 2 the user's own again, whether `System.err`, the JVM or a native library writes to it. The
    /// first statement of `main`; does nothing without the property. After a failure standard error still works,
    /// through the launcher's filter. The kept descriptor stays open: linking `close` would cost every start a few
    /// milliseconds, and it lives no longer than descriptor 2 itself.
    public static CallResult restore() {
        Integer kept = Integer.getInteger(PROPERTY);
        if (kept == null || kept <= STDERR) {
            return CallResult.done();
        }
        Optional<MethodHandle> dup2 = LibC.withErrno("dup2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        if (dup2.isEmpty()) {
            return CallResult.unsupported("dup2");
        }
        int from = kept;
        return LibC.result(
                LibC.call(dup2.get(), (f, state) -> (int) f.invokeExact(state, from, STDERR)),
                "dup2(" + from + ", " + STDERR + ")");
    }
}
