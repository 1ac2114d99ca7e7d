package dev.panamoe.opencl;

import dev.panamoe.spi.Ceilings;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntFunction;
import org.lwjgl.opencl.CL10;

/// Measures what a device can do at most: streaming reads of a buffer that no cache holds, and multiply-adds that stay
/// in registers, of floats and, where that is one instruction, of bytes. Of some tries the best counts.
final class CeilingsProbe {
    private static final int GROUP = 256;

    /// More than the caches of any device hold; less where the device has little memory.
    private static final long BYTES = 1L << 30;

    private static final int BYTES_OF_FOUR = 16;
    private static final int GROUPS_PER_UNIT = 16;
    private static final int FMA_PER_TURN = 64;
    private static final int BYTES_PER_TURN = 4 * 64;
    private static final int MAX_TRIES = 20;
    private static final long NANOS = 400_000_000;

    private final Memory memory;
    private final Kernels kernels;
    private final long queue;
    private final long groups;
    private final ClDevice device;

    CeilingsProbe(ClDevice device, Memory memory, Kernels kernels, long queue) {
        this.device = device;
        this.memory = memory;
        this.kernels = kernels;
        this.queue = queue;
        this.groups = (long) device.computeUnits() * GROUPS_PER_UNIT;
    }

    Ceilings measure() {
        long bytes = Math.min(BYTES, memory.largest() / 4) / BYTES_OF_FOUR * BYTES_OF_FOUR;
        long words = memory.allocateZeroed(bytes, "memory to measure reads with");
        try {
            Kernel floats = kernels.get("multiply_add", "ceilings.cl", null, "");
            double flops = operations(
                    FMA_PER_TURN, turns -> floats.buffer(words).value(turns).value(0.5f));
            return new Ceilings(
                    List.of(reads(words, bytes)),
                    flops,
                    device.dot4().isFast() ? OptionalDouble.of(int8Ops(words)) : OptionalDouble.empty());
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

    private double int8Ops(long words) {
        Kernel bytes = kernels.get("multiply_add_bytes", "ceilings.cl", null, device.dot4Options());
        return operations(
                BYTES_PER_TURN, turns -> bytes.buffer(words).value(turns).value(0x01020304));
    }

    /// Operations a second, two for each multiply-add.
    ///
    /// @param perTurn multiply-adds of a turn of a work-item
    /// @param given the kernel with its arguments for so many turns
    private double operations(int perTurn, IntFunction<Kernel> given) {
        int turns = 16;
        double seconds = 0;
        // Long enough that a launch does not count.
        while (seconds < 0.005) {
            turns *= 4;
            int now = turns;
            seconds = best(() -> given.apply(now).launch(queue, GROUP, groups, 1, 1));
        }
        return 2.0 * perTurn * turns * groups * GROUP / seconds;
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
