package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.panamoe.spi.DeviceOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Once compiled, operations allocate nothing: a vector that the JIT boxes makes a kernel ten times slower, and shows
/// here as megabytes.
///
/// What the JIT makes of a method depends on all that ran before, and is not the same in each start: in a few of a
/// hundred it boxes one operation to the end. So where this JVM allocates, two others are started, which must not.
class AllocationTest {
    /// What {@link Workload#run} itself makes: some views of rows.
    private static final long VIEWS = 4096;

    private static final int RUNS = 20;

    /// The JIT compiles in the background; after so long it has come to its end, on a busy machine too.
    private static final long PATIENCE = 60_000_000_000L;

    /// Weights as they are, packed for the Vector API and for the best that is here.
    @ParameterizedTest
    @ValueSource(strings = {"none", "vector", DeviceOptions.AUTO})
    @Timeout(400)
    void steadyStateAllocatesNothing(String kernels) throws Exception {
        if (bytesPerRun(kernels) > VIEWS) {
            for (int start = 2; start <= 3; start++) {
                assertThat(bytesPerRunOfAnotherJvm(kernels))
                        .as("bytes a run, start %d of 3", start)
                        .isLessThanOrEqualTo(VIEWS);
            }
        }
    }

    private static long bytesPerRunOfAnotherJvm(String kernels) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-D") && !argument.startsWith("-javaagent"))
                .forEach(command::add);
        command.addAll(List.of(
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                System.getProperty("java.class.path"),
                AllocationTest.class.getName(),
                kernels));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as(said).isZero();
        return Long.parseLong(said);
    }

    /// For another JVM: prints what {@link #bytesPerRun} says.
    ///
    /// @param args the kernel set
    public static void main(String[] args) {
        System.out.println(bytesPerRun(args[0]));
    }

    /// How many bytes a run allocates at last, of several tokens or of one, whichever is more.
    private static long bytesPerRun(String kernels) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long most = 0;
        try (CpuDevice device = Workload.device(kernels, 2)) {
            Workload workload = new Workload(device);
            for (int tokens : new int[] {Workload.TOKENS, 1}) {
                long perRun = Long.MAX_VALUE;
                long giveUp = System.nanoTime() + PATIENCE;
                while (perRun > VIEWS && System.nanoTime() < giveUp) {
                    long before = threads.getTotalThreadAllocatedBytes();
                    for (int i = 0; i < RUNS; i++) {
                        workload.run(tokens);
                    }
                    perRun = (threads.getTotalThreadAllocatedBytes() - before) / RUNS;
                }
                most = Math.max(most, perRun);
            }
        }
        return most;
    }
}
