package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.panamoe.spi.DeviceOptions;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Once compiled, operations allocate nothing: a vector that the JIT boxes makes a kernel ten times slower, and shows
/// here as megabytes.
class AllocationTest {
    /// What {@link Workload#run} itself makes: some views of rows.
    private static final long VIEWS = 4096;

    private static final int RUNS = 20;

    /// Weights as they are, packed for the Vector API and for the best that is here.
    @ParameterizedTest
    @ValueSource(strings = {"none", "vector", DeviceOptions.AUTO})
    @Timeout(180)
    void steadyStateAllocatesNothing(String kernels) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (CpuDevice device = Workload.device(kernels, 2)) {
            Workload workload = new Workload(device);
            for (int tokens : new int[] {Workload.TOKENS, 1}) {
                long perRun = Long.MAX_VALUE;
                // The JIT compiles in the background: run until it is done, or fail after a minute of trying.
                long giveUp = System.nanoTime() + 60_000_000_000L;
                while (perRun > VIEWS && System.nanoTime() < giveUp) {
                    long before = threads.getTotalThreadAllocatedBytes();
                    for (int i = 0; i < RUNS; i++) {
                        workload.run(tokens);
                    }
                    perRun = (threads.getTotalThreadAllocatedBytes() - before) / RUNS;
                }
                assertThat(perRun).as("bytes per run with %d tokens", tokens).isLessThanOrEqualTo(VIEWS);
            }
        }
    }
}
