package dev.panamoe.spi;

import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/// The most that a device was seen to do a moment ago: what its operations can be held against. Each figure is the best
/// of some tries, since a ceiling is what the machine can do rather than what it did beside other programs.
///
/// @param readBytesPerSecond streaming reads from the device's memory, past all caches; entry `i` with `i + 1` threads,
///     or one entry for a device without host threads
/// @param flops F32 multiply-adds with all threads, each counted as two operations
/// @param int8Ops multiply-adds of 8-bit integers with all threads, each counted as two operations; empty where that
///     was not measured
public record Ceilings(List<Double> readBytesPerSecond, double flops, OptionalDouble int8Ops) {
    public Ceilings {
        readBytesPerSecond = List.copyOf(readBytesPerSecond);
        if (readBytesPerSecond.isEmpty()) {
            throw new IllegalArgumentException("no reads were measured");
        }
    }

    /// Streaming reads with as many threads as serve best: all threads, but for noise and for few channels of memory.
    public double read() {
        return Collections.max(readBytesPerSecond);
    }

    /// What multiply-adds of a kind are bound by; that of F32 where there is no figure for the kind.
    public double operations(Arithmetic arithmetic) {
        return switch (arithmetic) {
            case F32 -> flops;
            case INT8 -> int8Ops.orElse(flops);
        };
    }
}
