package dev.panamoe.ffm;

import dev.panamoe.ffm.CpuInfo.Cache;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// [CpuInfo] out of `/proc/cpuinfo` and `/sys/devices/system/cpu`.
final class LinuxCpu {
    /// A core counts as fast when its capacity, which the kernel scales to 1024 for the fastest, is at least this part
    /// of the largest: between the middle cores of a phone-like processor (about 0.7 to 0.9) and its small ones, which
    /// are below 0.5.
    private static final double FAST_CAPACITY = 0.6;

    private final Path root;
    private final Path cpus;

    private LinuxCpu(Path root) {
        this.root = root;
        this.cpus = root.resolve("sys/devices/system/cpu");
    }

    /// @param root `/`, or in a test a folder that stands for it
    static CpuInfo read(Path root) {
        return new LinuxCpu(root).read();
    }

    private CpuInfo read() {
        List<String> cpuinfo = LinuxFiles.lines(root.resolve("proc/cpuinfo"));
        BitSet online = LinuxFiles.text(cpus.resolve("online"))
                .map(LinuxFiles::cpuList)
                .filter(list -> !list.isEmpty())
                .orElseGet(() -> {
                    BitSet counted = new BitSet();
                    counted.set(0, (int) Math.max(1, countProcessors(cpuinfo)));
                    return counted;
                });
        BitSet fast = fastCpus(online);
        return new CpuInfo(
                model(cpuinfo),
                online.cardinality(),
                cores(online),
                cores(fast),
                fast.equals(online) ? List.of() : fast.stream().boxed().toList(),
                caches(fast.nextSetBit(0)),
                flags(cpuinfo));
    }

    private static long countProcessors(List<String> cpuinfo) {
        return cpuinfo.stream().filter(line -> key(line).equals("processor")).count();
    }

    /// Logical CPUs that share a core name the same siblings; a CPU that names none is a core of its own.
    private int cores(BitSet logical) {
        Set<String> siblings = new HashSet<>();
        logical.stream().forEach(cpu -> siblings.add(siblings(cpu).orElse(Integer.toString(cpu))));
        return siblings.size();
    }

    private Optional<String> siblings(int cpu) {
        Path topology = cpus.resolve("cpu" + cpu + "/topology");
        // The older name of the same file is the one that kernels before 5.1 have.
        return LinuxFiles.text(topology.resolve("core_cpus_list"))
                .or(() -> LinuxFiles.text(topology.resolve("thread_siblings_list")));
    }

    private BitSet fastCpus(BitSet online) {
        // Hybrid Intel processors have a performance monitoring unit per kind of core.
        Optional<BitSet> intel = LinuxFiles.text(root.resolve("sys/devices/cpu_core/cpus"))
                .map(LinuxFiles::cpuList)
                .map(list -> {
                    list.and(online);
                    return list;
                })
                .filter(list -> !list.isEmpty());
        if (intel.isPresent()) {
            return intel.get();
        }
        long largest = online.stream().mapToLong(this::capacity).max().orElse(0);
        BitSet fast = new BitSet();
        online.stream().filter(cpu -> capacity(cpu) >= FAST_CAPACITY * largest).forEach(fast::set);
        return fast;
    }

    private long capacity(int cpu) {
        return LinuxFiles.number(cpus.resolve("cpu" + cpu + "/cpu_capacity")).orElse(0);
    }

    private List<Cache> caches(int cpu) {
        List<Cache> found = new ArrayList<>();
        for (int i = 0; ; i++) {
            Path index = cpus.resolve("cpu" + cpu + "/cache/index" + i);
            Optional<String> type = LinuxFiles.text(index.resolve("type"));
            if (type.isEmpty()) {
                break;
            }
            OptionalLong level = LinuxFiles.number(index.resolve("level"));
            OptionalLong size = LinuxFiles.number(index.resolve("size"));
            if (level.isPresent() && size.isPresent()) {
                int sharedBy = LinuxFiles.text(index.resolve("shared_cpu_list"))
                        .map(list -> LinuxFiles.cpuList(list).cardinality())
                        .orElse(0);
                found.add(new Cache((int) level.getAsLong(), kind(type.get()), size.getAsLong(), sharedBy));
            }
        }
        found.sort(Comparator.comparingInt(Cache::level).thenComparing(Cache::kind));
        return found;
    }

    private static Cache.Kind kind(String type) {
        return switch (type) {
            case "Data" -> Cache.Kind.DATA;
            case "Instruction" -> Cache.Kind.INSTRUCTION;
            default -> Cache.Kind.UNIFIED;
        };
    }

    private static String model(List<String> cpuinfo) {
        return value(cpuinfo, "model name")
                .or(() -> value(cpuinfo, "Model")) // boards that name only themselves
                .or(() -> value(cpuinfo, "CPU part")
                        .map(part -> "ARM implementer "
                                + value(cpuinfo, "CPU implementer").orElse("?") + " part " + part))
                .orElse(CpuInfo.UNKNOWN);
    }

    private static Set<String> flags(List<String> cpuinfo) {
        return value(cpuinfo, "flags") // x86
                .or(() -> value(cpuinfo, "Features")) // ARM
                .map(flags -> (Set<String>)
                        new HashSet<>(List.of(flags.toLowerCase(Locale.ROOT).split("\\s+"))))
                .orElse(Set.of());
    }

    private static Optional<String> value(List<String> cpuinfo, String key) {
        return cpuinfo.stream()
                .filter(line -> key(line).equals(key))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .filter(value -> !value.isEmpty())
                .findFirst();
    }

    private static String key(String line) {
        int colon = line.indexOf(':');
        return colon < 0 ? "" : line.substring(0, colon).strip();
    }
}
