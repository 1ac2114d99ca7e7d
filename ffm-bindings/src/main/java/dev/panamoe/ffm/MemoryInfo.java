package dev.panamoe.ffm;

import java.nio.file.Path;
import java.util.OptionalLong;

/// Facts about main memory, in bytes.
///
/// @param total what the machine has; empty where the system does not tell
/// @param available what new work can have without swapping, counting cached files as free; empty where the system
///     does not tell
/// @param limit of the container or service that this process runs in (Linux control groups); empty without one
/// @param limitLeft what is left of that limit, counting cached files as free; empty without one
public record MemoryInfo(OptionalLong total, OptionalLong available, OptionalLong limit, OptionalLong limitLeft) {

    /// Asks the system. The answer changes all the time.
    public static MemoryInfo read() {
        if (Os.isLinux()) {
            return LinuxMemory.read(Path.of("/"));
        }
        return Os.isMac() ? MacFacts.memory() : unknown();
    }

    /// What this process has in main memory now, mapped files included; empty where the system does not tell.
    public static OptionalLong resident() {
        return Os.isLinux() ? LinuxMemory.resident(Path.of("/")) : OptionalLong.empty();
    }

    /// What this process can have in all: the machine's memory or its limit, whichever is less.
    public OptionalLong usableTotal() {
        return least(total, limit);
    }

    /// What this process can have now: the least of what is available and what is left of its limit.
    public OptionalLong usable() {
        return least(available, limitLeft);
    }

    static MemoryInfo unknown() {
        return new MemoryInfo(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
    }

    private static OptionalLong least(OptionalLong a, OptionalLong b) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.isEmpty() ? b : a;
        }
        return OptionalLong.of(Math.min(a.getAsLong(), b.getAsLong()));
    }
}
