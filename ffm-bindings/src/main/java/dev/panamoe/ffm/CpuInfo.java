package dev.panamoe.ffm;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Facts about the processors of this machine. What the system does not tell is estimated in the way that the
/// component says, never invented.
///
/// @param model the marketing name, or `unknown CPU`
/// @param logical CPUs that the system schedules on
/// @param physical cores; equals `logical` where the system does not tell
/// @param performance of these, the fast cores of a hybrid processor; equals `physical` where all are alike
/// @param performanceCpus the logical CPUs of the fast cores; empty where all are alike or the system does not tell
/// @param caches of the first performance core, level 1 first
/// @param flags instruction-set flags as the system names them, in lower case: `avx2`, `avx512_vnni`, `asimddp` …
public record CpuInfo(
        String model,
        int logical,
        int physical,
        int performance,
        List<Integer> performanceCpus,
        List<Cache> caches,
        Set<String> flags) {

    static final String UNKNOWN = "unknown CPU";

    public CpuInfo {
        performanceCpus = List.copyOf(performanceCpus);
        caches = List.copyOf(caches);
        flags = Set.copyOf(flags);
    }

    /// One cache.
    ///
    /// @param level 1, 2, 3 …
    /// @param kind what it holds
    /// @param bytes its size
    /// @param sharedBy how many logical CPUs use this one together; 0 where the system does not tell
    public record Cache(int level, Kind kind, long bytes, int sharedBy) {
        /// What a cache holds.
        public enum Kind {
            DATA,
            INSTRUCTION,
            UNIFIED
        }
    }

    /// Asks the system. Takes milliseconds, so ask once.
    public static CpuInfo read() {
        if (Os.isLinux()) {
            return LinuxCpu.read(Path.of("/"));
        }
        return Os.isMac() ? MacFacts.cpu() : unknown();
    }

    /// The data or unified cache of a level.
    public Optional<Cache> cache(int level) {
        return caches.stream()
                .filter(c -> c.level() == level && c.kind() != Cache.Kind.INSTRUCTION)
                .findFirst();
    }

    static CpuInfo unknown() {
        int cpus = Runtime.getRuntime().availableProcessors();
        return new CpuInfo(UNKNOWN, cpus, cpus, cpus, List.of(), List.of(), Set.of());
    }
}
