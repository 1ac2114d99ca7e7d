package dev.panamoe.ffm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panamoe.ffm.CpuInfo.Cache;
import dev.panamoe.ffm.CpuInfo.Cache.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineFactsTest {
    private static final long GIB = 1L << 30;

    /// Stands for `/`.
    @TempDir
    Path root;

    @Test
    void thisMachineHasSensibleFacts() {
        CpuInfo cpu = CpuInfo.read();
        assertThat(cpu.model()).isNotBlank();
        assertThat(cpu.performance()).isBetween(1, cpu.physical());
        assertThat(cpu.physical()).isLessThanOrEqualTo(cpu.logical());
        assertThat(cpu.logical()).isGreaterThanOrEqualTo(Runtime.getRuntime().availableProcessors());

        assumeTrue(Os.isLinux() || Os.isMac());
        MemoryInfo memory = MemoryInfo.read();
        assertThat(memory.total().orElseThrow()).isGreaterThan(GIB / 8);
        assertThat(memory.usable().orElseThrow())
                .isPositive()
                .isLessThanOrEqualTo(memory.usableTotal().orElseThrow());
    }

    @Test
    void aHybridIntelProcessor() throws IOException {
        write("proc/cpuinfo", """
            processor\t: 0
            model name\t: 13th Gen Intel(R) Core(TM) i5-1340P
            flags\t\t: fpu sse2 AVX2 fma avx_vnni
            """);
        write("sys/devices/system/cpu/online", "0-5");
        write("sys/devices/cpu_core/cpus", "0-3");
        write("sys/devices/cpu_atom/cpus", "4-5");
        for (int cpu = 0; cpu < 6; cpu++) {
            String siblings = cpu < 4 ? (cpu & ~1) + "-" + (cpu | 1) : Integer.toString(cpu);
            write("sys/devices/system/cpu/cpu" + cpu + "/topology/core_cpus_list", siblings);
        }
        cache(0, 0, "Data", 1, "48K", "0-1");
        cache(0, 1, "Instruction", 1, "32K", "0-1");
        cache(0, 2, "Unified", 2, "1280K", "0-1");
        cache(0, 3, "Unified", 3, "12288K", "0-5");

        CpuInfo cpu = LinuxCpu.read(root);

        assertThat(cpu.model()).isEqualTo("13th Gen Intel(R) Core(TM) i5-1340P");
        assertThat(cpu.logical()).isEqualTo(6);
        assertThat(cpu.physical()).isEqualTo(4);
        assertThat(cpu.performance()).isEqualTo(2);
        assertThat(cpu.flags()).containsExactlyInAnyOrder("fpu", "sse2", "avx2", "fma", "avx_vnni");
        assertThat(cpu.caches())
                .containsExactly(
                        new Cache(1, Kind.DATA, 48 << 10, 2),
                        new Cache(1, Kind.INSTRUCTION, 32 << 10, 2),
                        new Cache(2, Kind.UNIFIED, 1280 << 10, 2),
                        new Cache(3, Kind.UNIFIED, 12 << 20, 6));
        assertThat(cpu.cache(1)).contains(new Cache(1, Kind.DATA, 48 << 10, 2));
        assertThat(cpu.cache(4)).isEmpty();
    }

    @Test
    void anArmProcessorWithSmallCores() throws IOException {
        write("proc/cpuinfo", """
            processor\t: 0
            Features\t: fp asimd asimddp i8mm
            CPU implementer\t: 0x41
            CPU part\t: 0xd0c
            """);
        write("sys/devices/system/cpu/online", "0-1,4");
        write("sys/devices/system/cpu/cpu0/cpu_capacity", "1024");
        write("sys/devices/system/cpu/cpu1/cpu_capacity", "870");
        write("sys/devices/system/cpu/cpu4/cpu_capacity", "250");

        CpuInfo cpu = LinuxCpu.read(root);

        assertThat(cpu.model()).isEqualTo("ARM implementer 0x41 part 0xd0c");
        assertThat(cpu.logical()).isEqualTo(3);
        assertThat(cpu.physical()).isEqualTo(3);
        assertThat(cpu.performance()).isEqualTo(2);
        assertThat(cpu.performanceCpus()).containsExactly(0, 1);
        assertThat(cpu.flags()).contains("asimddp", "i8mm");
    }

    @Test
    void aMachineThatTellsNothing() {
        CpuInfo cpu = LinuxCpu.read(root);
        assertThat(cpu.model()).isEqualTo("unknown CPU");
        assertThat(cpu.logical()).isEqualTo(1);
        assertThat(cpu.performance()).isEqualTo(1);
        assertThat(cpu.performanceCpus()).isEmpty();
        assertThat(cpu.caches()).isEmpty();
        assertThat(LinuxMemory.read(root)).isEqualTo(MemoryInfo.unknown());
    }

    @Test
    void controlGroupsOfVersion2LimitFromAnyLevelAndCachedFilesAreFree() throws IOException {
        meminfo(32, 20);
        write("proc/self/cgroup", "0::/user.slice/app.scope");
        write("sys/fs/cgroup/user.slice/memory.max", Long.toString(8 * GIB));
        write("sys/fs/cgroup/user.slice/memory.current", Long.toString(7 * GIB));
        write("sys/fs/cgroup/user.slice/memory.stat", "anon 5\nfile 6\ninactive_file " + 4 * GIB);
        write("sys/fs/cgroup/user.slice/app.scope/memory.max", "max");
        write("sys/fs/cgroup/user.slice/app.scope/memory.current", Long.toString(GIB));

        MemoryInfo memory = LinuxMemory.read(root);

        assertThat(memory)
                .isEqualTo(new MemoryInfo(
                        OptionalLong.of(32 * GIB),
                        OptionalLong.of(20 * GIB),
                        OptionalLong.of(8 * GIB),
                        OptionalLong.of(5 * GIB)));
        assertThat(memory.usable()).hasValue(5 * GIB);
        assertThat(memory.usableTotal()).hasValue(8 * GIB);
    }

    @Test
    void controlGroupsOfVersion1InAContainerThatSeesOnlyItsOwnGroup() throws IOException {
        meminfo(32, 20);
        write("proc/self/cgroup", "11:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/x");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", Long.toString(4 * GIB));
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", Long.toString(3 * GIB));
        write("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file " + GIB);

        MemoryInfo memory = LinuxMemory.read(root);

        assertThat(memory.limit()).hasValue(4 * GIB);
        assertThat(memory.limitLeft()).hasValue(2 * GIB);
    }

    @Test
    void version1WritesNoLimitAsAHugeNumber() throws IOException {
        meminfo(32, 20);
        write("proc/self/cgroup", "4:memory:/");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
        MemoryInfo memory = LinuxMemory.read(root);
        assertThat(memory.limit()).isEmpty();
        assertThat(memory.usable()).hasValue(20 * GIB);
    }

    @Test
    void cpuListsAndNumbersAreReadWithCare() {
        assertThat(LinuxFiles.cpuList("0-2,8,10-11").toString()).isEqualTo("{0, 1, 2, 8, 10, 11}");
        assertThat(LinuxFiles.cpuList("").isEmpty()).isTrue();
        assertThat(LinuxFiles.cpuList("3-1,x,-4,0-99999999999").isEmpty()).isTrue();
        assertThat(LinuxFiles.number("48K")).hasValue(48 << 10);
        assertThat(LinuxFiles.number("2M")).hasValue(2 << 20);
        assertThat(LinuxFiles.number("max")).isEmpty();
        assertThat(LinuxFiles.number("9223372036854775807G")).isEmpty();
        assertThat(LinuxFiles.number("")).isEmpty();
    }

    private void meminfo(long totalGib, long availableGib) throws IOException {
        write(
                "proc/meminfo",
                "MemTotal:       %d kB%nMemFree: 12 kB%nMemAvailable:   %d kB%n"
                        .formatted(totalGib << 20, availableGib << 20));
    }

    private void cache(int cpu, int index, String type, int level, String size, String shared) throws IOException {
        String folder = "sys/devices/system/cpu/cpu" + cpu + "/cache/index" + index + "/";
        write(folder + "type", type);
        write(folder + "level", Integer.toString(level));
        write(folder + "size", size);
        write(folder + "shared_cpu_list", shared);
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
