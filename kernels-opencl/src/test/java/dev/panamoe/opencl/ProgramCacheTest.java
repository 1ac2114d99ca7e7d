package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lwjgl.opencl.CL10;

class ProgramCacheTest {
    private static final String SOURCE = "kernel void fill(global float *y) { y[get_global_id(0)] = VALUE; }\n";

    @TempDir
    Path folder;

    private ClDevice device;
    private long context;

    @BeforeEach
    void open() {
        device = OpenClHere.device();
        context = OpenClHere.context(device);
    }

    @AfterEach
    void close() {
        if (context != 0) {
            CL10.clReleaseContext(context);
        }
    }

    private ProgramCache cache() {
        return new ProgramCache(device, context, new KeptFiles(Optional.of(folder)));
    }

    /// What the program's kernel writes, after which the program is released.
    private float run(long program) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment y = arena.allocate(ValueLayout.JAVA_FLOAT);
            long queue = CL10.nclCreateCommandQueue(context, device.device(), 0, code.address());
            long kernel =
                    CL10.nclCreateKernel(program, arena.allocateFrom("fill").address(), code.address());
            Cl.check(code.get(ValueLayout.JAVA_INT, 0), "clCreateKernel");
            long buffer = CL10.nclCreateBuffer(context, CL10.CL_MEM_WRITE_ONLY, 4, 0, code.address());
            MemorySegment argument = arena.allocateFrom(ValueLayout.JAVA_LONG, buffer);
            MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_LONG, 1L);
            Cl.check(CL10.nclSetKernelArg(kernel, 0, 8, argument.address()), "clSetKernelArg");
            Cl.check(
                    CL10.nclEnqueueNDRangeKernel(queue, kernel, 1, 0, one.address(), 0, 0, 0, 0),
                    "clEnqueueNDRangeKernel");
            Cl.check(CL10.nclEnqueueReadBuffer(queue, buffer, 1, 0, 4, y.address(), 0, 0, 0), "clEnqueueReadBuffer");
            CL10.clReleaseMemObject(buffer);
            CL10.clReleaseKernel(kernel);
            CL10.clReleaseCommandQueue(queue);
            CL10.clReleaseProgram(program);
            return y.get(ValueLayout.JAVA_FLOAT, 0);
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /// Fetches the program with a new cache, as the next start would.
    private void assertFetched(String options, float value, int builds) {
        ProgramCache cache = cache();
        assertThat(run(cache.get("a program/1", SOURCE, options))).isEqualTo(value);
        assertThat(cache.builds()).as("builds").isEqualTo(builds);
        assertThat(cache.loads()).as("loads").isEqualTo(1 - builds);
    }

    @Test
    void theNextStartLoadsWhatWasBuilt() throws IOException {
        assertFetched("-D VALUE=1.5f", 1.5f, 1);
        assertThat(files()).singleElement().asString().matches(".*/a_program_1-[0-9a-f]{16}\\.bin");
        assertFetched("-D VALUE=1.5f", 1.5f, 0);
        assertFetched("-D VALUE=2.5f", 2.5f, 1);
        assertThat(files()).hasSize(2);
        assertFetched("-D VALUE=1.5f", 1.5f, 0);
    }

    @Test
    void aDamagedFileIsWrittenAnew() throws IOException {
        assertFetched("-D VALUE=1.5f", 1.5f, 1);
        Path file = files().getFirst();
        byte[] bad = Files.readAllBytes(file);
        bad[bad.length / 2] ^= 1;
        Files.write(file, bad);
        assertFetched("-D VALUE=1.5f", 1.5f, 1);
        assertFetched("-D VALUE=1.5f", 1.5f, 0);
        assertThat(files()).containsExactly(file);
    }

    @Test
    void whatTheDriverDoesNotTakeIsBuilt() throws IOException {
        assertFetched("-D VALUE=1.5f", 1.5f, 1);
        Path file = files().getFirst();
        byte[] all = Files.readAllBytes(file);
        byte[] key = Arrays.copyOfRange(all, 8, 40);
        byte[] nonsense = new byte[100];
        byte[] header = KeptFiles.header(key, nonsense);
        Files.write(file, Arrays.copyOf(header, header.length + nonsense.length));
        assertFetched("-D VALUE=1.5f", 1.5f, 1);
        assertFetched("-D VALUE=1.5f", 1.5f, 0);
    }

    @Test
    void withoutAFolderOrWithOneThatCannotBeWritten() throws IOException {
        ProgramCache none = new ProgramCache(device, context, new KeptFiles(Optional.empty()));
        assertThat(run(none.get("p", SOURCE, "-D VALUE=1.0f"))).isEqualTo(1f);
        Path file = Files.createFile(folder.resolve("a file"));
        ProgramCache broken = new ProgramCache(device, context, new KeptFiles(Optional.of(file.resolve("x"))));
        assertThat(run(broken.get("p", SOURCE, "-D VALUE=1.0f"))).isEqualTo(1f);
        assertThat(broken.builds()).isEqualTo(1);
    }

    @Test
    void aProgramThatDoesNotCompile() throws IOException {
        assertThatThrownBy(() -> cache().get("wrong", "kernel void f() { nonsense_1; }", ""))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("opencl:0: the program wrong cannot be built: CL_BUILD_PROGRAM_FAILURE (-11)")
                .hasMessageContaining("nonsense_1");
        assertThat(files()).isEmpty();
    }

    /// Longer than the 64 KiB that LWJGL's stack holds.
    @Test
    void aLongProgram() {
        String source = SOURCE + "/* " + "words ".repeat(50_000) + "*/\n";
        assertThat(run(cache().get("long", source, "-D VALUE=3.0f"))).isEqualTo(3f);
    }
}
