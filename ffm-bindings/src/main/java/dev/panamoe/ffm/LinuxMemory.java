package dev.panamoe.ffm;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// [MemoryInfo] out of `/proc/meminfo` and the memory controller of control groups, version 1 and 2.
final class LinuxMemory {
    private final Path root;
    private OptionalLong limit = OptionalLong.empty();
    private OptionalLong limitLeft = OptionalLong.empty();

    private LinuxMemory(Path root) {
        this.root = root;
    }

    /// @param root `/`, or in a test a folder that stands for it
    static MemoryInfo read(Path root) {
        LinuxMemory memory = new LinuxMemory(root);
        List<String> meminfo = LinuxFiles.lines(root.resolve("proc/meminfo"));
        OptionalLong total = kilobytes(meminfo, "MemTotal:");
        memory.readLimits(total);
        return new MemoryInfo(total, kilobytes(meminfo, "MemAvailable:"), memory.limit, memory.limitLeft);
    }

    /// Of this process, mapped files included.
    static OptionalLong resident(Path root) {
        return kilobytes(LinuxFiles.lines(root.resolve("proc/self/status")), "VmRSS:");
    }

    private void readLimits(OptionalLong total) {
        for (String line : LinuxFiles.lines(root.resolve("proc/self/cgroup"))) {
            // hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers
            String[] parts = line.split(":", 3);
            if (parts.length < 3) {
                continue;
            }
            if (parts[0].equals("0") && parts[1].isEmpty()) {
                Path mount = root.resolve("sys/fs/cgroup");
                readGroups(mount, parts[2], "memory.max", "memory.current", "inactive_file", total);
                // where both versions are mounted
                readGroups(mount.resolve("unified"), parts[2], "memory.max", "memory.current", "inactive_file", total);
            } else if (List.of(parts[1].split(",", -1)).contains("memory")) {
                readGroups(
                        root.resolve("sys/fs/cgroup/memory"),
                        parts[2],
                        "memory.limit_in_bytes",
                        "memory.usage_in_bytes",
                        "total_inactive_file",
                        total);
            }
        }
    }

    /// Every group from the process's own up to the root of the mount limits it. Inside a container the path may be the
    /// one outside, of which nothing is to be seen: then the root of the mount is the container's own group.
    private void readGroups(
            Path mount, String path, String max, String current, String reclaimable, OptionalLong total) {
        @Nullable
        Path group =
                mount.resolve(path.startsWith("/") ? path.substring(1) : path).normalize();
        while (group != null && group.startsWith(mount)) {
            OptionalLong groupMax = LinuxFiles.number(group.resolve(max)); // "max" is no number: no limit
            // Version 1 writes no limit as a number close to 2^63.
            if (groupMax.isPresent() && groupMax.getAsLong() < total.orElse(Long.MAX_VALUE >> 1)) {
                long used = LinuxFiles.number(group.resolve(current)).orElse(0);
                long cached = statistic(LinuxFiles.lines(group.resolve("memory.stat")), reclaimable);
                long left = Math.max(0, groupMax.getAsLong() - Math.max(0, used - cached));
                limit = OptionalLong.of(Math.min(limit.orElse(Long.MAX_VALUE), groupMax.getAsLong()));
                limitLeft = OptionalLong.of(Math.min(limitLeft.orElse(Long.MAX_VALUE), left));
            }
            group = group.getParent();
        }
    }

    private static long statistic(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line ->
                        LinuxFiles.number(line.substring(name.length() + 1)).orElse(0))
                .findFirst()
                .orElse(0);
    }

    /// A line such as `MemTotal:       24689500 kB`, in bytes.
    private static OptionalLong kilobytes(List<String> meminfo, String name) {
        for (String line : meminfo) {
            if (line.startsWith(name)) {
                OptionalLong kilobytes = LinuxFiles.number(
                        line.substring(name.length()).replace("kB", "").strip());
                return kilobytes.isPresent() ? OptionalLong.of(kilobytes.getAsLong() * 1024) : kilobytes;
            }
        }
        return OptionalLong.empty();
    }
}
