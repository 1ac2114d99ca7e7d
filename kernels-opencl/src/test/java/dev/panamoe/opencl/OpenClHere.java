package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.lwjgl.opencl.CL10;

/// The best device of this machine, with LWJGL ready to use it. Where there is none its tests are skipped, unless
/// `PANAMOE_REQUIRE_ALL` is set.
final class OpenClHere {
    private OpenClHere() {}

    static ClDevice device() {
        ClSurvey survey = ClSurvey.here();
        if (System.getenv("PANAMOE_REQUIRE_ALL") != null) {
            assertThat(survey.devices()).as("OpenCL: %s", survey.nothing()).isNotEmpty();
        }
        assumeTrue(!survey.devices().isEmpty(), () -> "no OpenCL here: " + survey.nothing());
        ClSurvey.startLwjgl();
        return survey.devices().getFirst();
    }

    /// A `cl_context` of the device alone, which the caller releases.
    static long context(ClDevice device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment devices = arena.allocateFrom(ValueLayout.JAVA_LONG, device.device());
            long context = CL10.nclCreateContext(0, 1, devices.address(), 0, 0, code.address());
            Cl.check(code.get(ValueLayout.JAVA_INT, 0), "clCreateContext");
            return context;
        }
    }
}
