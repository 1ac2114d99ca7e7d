package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.panamoe.ffm.CpuInfo.Cache;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// [CpuInfo] and [MemoryInfo] out of `sysctlbyname` and the Mach host statistics of macOS.
final class MacFacts {
    /// What kernels may ask for and the processor may lack; `hw.optional.arm.` names each.
    private static final List<String> ARM_FEATURES =
            List.of("FEAT_FP16", "FEAT_DotProd", "FEAT_I8MM", "FEAT_BF16", "FEAT_FHM", "FEAT_SME", "FEAT_SME2");

    private static final int HOST_VM_INFO64 = 4;
    private static final int HOST_VM_INFO64_INTS = 38; // sizeof(vm_statistics64) / sizeof(int), <mach/host_info.h>
    private static final long FREE_COUNT_OFFSET = 0;
    private static final long INACTIVE_COUNT_OFFSET = 8;

    private MacFacts() {}

    static CpuInfo cpu() {
        CpuInfo unknown = CpuInfo.unknown();
        int logical = (int) number("hw.logicalcpu").orElse(unknown.logical());
        int physical = (int) number("hw.physicalcpu").orElse(logical);
        return new CpuInfo(
                text("machdep.cpu.brand_string").orElse(CpuInfo.UNKNOWN),
                logical,
                physical,
                (int) number("hw.perflevel0.physicalcpu").orElse(physical), // level 0 is the fastest
                List.of(), // threads cannot be bound to CPUs there
                caches(),
                flags());
    }

    static MemoryInfo memory() {
        return new MemoryInfo(number("hw.memsize"), available(), OptionalLong.empty(), OptionalLong.empty());
    }

    private static List<Cache> caches() {
        List<Cache> caches = new ArrayList<>();
        add(caches, 1, Cache.Kind.DATA, "l1dcachesize");
        add(caches, 1, Cache.Kind.INSTRUCTION, "l1icachesize");
        add(caches, 2, Cache.Kind.UNIFIED, "l2cachesize");
        add(caches, 3, Cache.Kind.UNIFIED, "l3cachesize");
        return caches;
    }

    private static void add(List<Cache> caches, int level, Cache.Kind kind, String name) {
        OptionalLong bytes = number("hw.perflevel0." + name);
        if (bytes.isEmpty()) {
            bytes = number("hw." + name);
        }
        if (bytes.isPresent() && bytes.getAsLong() > 0) {
            caches.add(new Cache(level, kind, bytes.getAsLong(), 0));
        }
    }

    private static Set<String> flags() {
        Set<String> flags = new HashSet<>();
        for (String list : List.of("machdep.cpu.features", "machdep.cpu.leaf7_features")) { // Intel
            text(list)
                    .ifPresent(
                            f -> flags.addAll(List.of(f.toLowerCase(Locale.ROOT).split("\\s+"))));
        }
        for (String feature : ARM_FEATURES) {
            if (number("hw.optional.arm." + feature).orElse(0) == 1) {
                flags.add(feature.toLowerCase(Locale.ROOT));
            }
        }
        return flags;
    }

    private static Optional<byte[]> value(String name) {
        if (Holder.SYSCTL.isEmpty()) {
            return Optional.empty();
        }
        MethodHandle sysctl = Holder.SYSCTL.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cName = arena.allocateFrom(name);
            MemorySegment value = arena.allocate(4096, Long.BYTES);
            MemorySegment length = arena.allocateFrom(JAVA_LONG, value.byteSize());
            long answer = LibC.invoke(() -> (int) sysctl.invokeExact(cName, value, length, MemorySegment.NULL, 0L));
            long bytes = length.get(JAVA_LONG, 0);
            return answer != 0 || bytes < 0 || bytes > value.byteSize()
                    ? Optional.empty()
                    : Optional.of(value.asSlice(0, bytes).toArray(JAVA_BYTE));
        }
    }

    private static OptionalLong number(String name) {
        Optional<byte[]> value = value(name);
        if (value.isEmpty()) {
            return OptionalLong.empty();
        }
        MemorySegment bytes = MemorySegment.ofArray(value.get());
        return switch (value.get().length) {
            case Integer.BYTES -> OptionalLong.of(Integer.toUnsignedLong(bytes.get(JAVA_INT_UNALIGNED, 0)));
            case Long.BYTES -> OptionalLong.of(bytes.get(JAVA_LONG_UNALIGNED, 0));
            default -> OptionalLong.empty();
        };
    }

    private static Optional<String> text(String name) {
        return value(name)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8)
                        .replace("\0", "")
                        .strip())
                .filter(text -> !text.isEmpty());
    }

    /// Free and inactive pages: what the system hands out before it swaps.
    private static OptionalLong available() {
        if (Holder.HOST_SELF.isEmpty() || Holder.HOST_STATISTICS.isEmpty()) {
            return OptionalLong.empty();
        }
        MethodHandle hostSelf = Holder.HOST_SELF.get();
        MethodHandle hostStatistics = Holder.HOST_STATISTICS.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statistics = arena.allocate(HOST_VM_INFO64_INTS * (long) Integer.BYTES, Long.BYTES);
            MemorySegment count = arena.allocateFrom(JAVA_INT, HOST_VM_INFO64_INTS);
            int host = (int) LibC.invoke(() -> (int) hostSelf.invokeExact());
            long answer = LibC.invoke(() -> (int) hostStatistics.invokeExact(host, HOST_VM_INFO64, statistics, count));
            if (answer != 0) {
                return OptionalLong.empty();
            }
            long pages = Integer.toUnsignedLong(statistics.get(JAVA_INT, FREE_COUNT_OFFSET))
                    + Integer.toUnsignedLong(statistics.get(JAVA_INT, INACTIVE_COUNT_OFFSET));
            return OptionalLong.of(pages * LibC.pageSize());
        }
    }

    private static final class Holder {
        static final Optional<MethodHandle> SYSCTL = LibC.plain(
                "sysctlbyname", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));
        static final Optional<MethodHandle> HOST_SELF = LibC.plain("mach_host_self", FunctionDescriptor.of(JAVA_INT));
        static final Optional<MethodHandle> HOST_STATISTICS =
                LibC.plain("host_statistics64", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    }
}
