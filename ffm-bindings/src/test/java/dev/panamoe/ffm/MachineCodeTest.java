package dev.panamoe.ffm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MachineCodeTest {
    @BeforeEach
    void needsThePosixCalls() {
        assumeTrue(Os.isLinux() || Os.isMac());
    }

    // Calling machine code is what is tested.
    @SuppressWarnings("restricted")
    @Test
    void loadedCodeRuns() throws Throwable {
        MemorySegment code = load(doubling());
        int result = (int) Linker.nativeLinker()
                .downcallHandle(code, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                .invokeExact(21);
        assertThat(result).isEqualTo(42);
        assertThat(code.isReadOnly()).isTrue();
        assertThat(code.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(doubling());
    }

    @Test
    void itsMemoryIsExecutableAndNotWritable() {
        assumeTrue(Os.isLinux());
        String start = Long.toHexString(load(doubling()).address()) + "-";
        assertThat(LinuxFiles.lines(Path.of("/proc/self/maps")))
                .filteredOn(line -> line.startsWith(start))
                .singleElement()
                .satisfies(line -> assertThat(line.split(" ")[1]).isEqualTo("r-xp"));
    }

    @Test
    void noCodeIsRefused() {
        assertThat(MachineCode.load(new byte[0]))
                .isInstanceOfSatisfying(
                        MachineCode.Refused.class,
                        refused -> assertThat(refused.why().reason()).isEqualTo("there is no code"));
    }

    private static MemorySegment load(byte[] code) {
        MachineCode.Outcome outcome = MachineCode.load(code);
        assertThat(outcome).isInstanceOf(MachineCode.Loaded.class);
        return ((MachineCode.Loaded) outcome).code();
    }

    /// `return 2 * argument`.
    private static byte[] doubling() {
        return HexFormat.of()
                .parseHex(
                        Os.architecture().equals("aarch64")
                                ? "0000000b" + "c0035fd6" // add w0, w0, w0; ret
                                : "8d043f" + "c3"); // lea eax, [rdi + rdi]; ret
    }
}
