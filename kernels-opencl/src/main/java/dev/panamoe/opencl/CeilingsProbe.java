package dev.panamoe.opencl;

import dev.panamoe.spi.Ceilings;
import java.util.List;
import java.util.OptionalDouble;
import org.lwjgl.opencl.CL10;

/// Measures what a device can do at most: streaming reads of a buffer that no cache holds, and multiply-adds of floats
/// that stay in registers. Of some tries the best counts.
final class CeilingsProbe {
    private static final int GROUP = 256;

    /// More than the caches of any device hold; less where the device has little memory.
    private static final long BYTES = 1L << 30;

    private static final int BYTES_OF_FOUR = 16;
    private static final int GROUPS_PER_UNIT = 16;
    private static final int FMA_PER_TURN = 64;
    private static final int MAX_TRIES = 20;
    private static final long NANOS = 400_000_000;

    private final Memory memory;
    private final Kernels kernels;
    private final long queue;
    private final long groups;

    /// @param computeUnits of the device
    CeilingsProbe(Memory memory, Kernels kernels, long queue, int computeUnits) {
        this.memory = memory;
        this.kernels = kernels;
        this.queue = queue;
        this.groups = (long) computeUnits * GROUPS_PER_UNIT;
    }

    Ceilings measure() {
        long bytes = Math.min(BYTES, memory.largest() / 4) / BYTES_OF_FOUR * BYTES_OF_FOUR;
        long words = memory.allocateZeroed(bytes, "memory to measure reads with");
        try {
            return new Ceilings(List.of(reads(words, bytes)), flops(words), OptionalDouble.empty());
        } finally {
            memory.free(words);
        }
    }

    /// Bytes a second.
    private double reads(long words, long bytes) {
        Kernel k = kernels.get("stream", "ceilings.cl", null, "");
        return bytes
                / best(() -> k.buffer(words)
                        .value(Math.toIntExact(bytes / BYTES_OF_FOUR))
                        .buffer(words)
                        .launch(queue, GROUP, groups, 1, 1));
    }

    /// Operations a second, two for each multiply-add.
    private double flops(long words) {
        Kernel k = kernels.get("multiply_add", "ceilings.cl", null, "");
        int turns = 16;
        double seconds = 0;
        // Long enough that a launch does not count.
        while (seconds < 0.005) {
            turns *= 4;
            int now = turns;
            seconds = best(() -> k.buffer(words).value(now).value(0.5f).launch(queue, GROUP, groups, 1, 1));
        }
        return 2.0 * FMA_PER_TURN * turns * groups * GROUP / seconds;
    }

    /// Seconds of the fastest try.
    private double best(Runnable launch) {
        double best = Double.MAX_VALUE;
        long end = System.nanoTime() + NANOS;
        for (int i = 0; i < MAX_TRIES && (i < 2 || System.nanoTime() < end); i++) {
            long start = System.nanoTime();
            launch.run();
            Cl.checkDone(CL10.clFinish(queue), "clFinish");
            best = Math.min(best, (System.nanoTime() - start) / 1e9);
        }
        return best;
    }
}
