package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ClSurveyTest {
    private static final ClDevice.Kind GPU = ClDevice.Kind.DISCRETE_GPU;

    @TempDir
    Path folder;

    private static ClDevice device(
            String name, ClDevice.Kind kind, long gib, int version, int workGroup, int localKib, String missing) {
        return device(name, kind, "550", gib, version, workGroup, localKib, missing);
    }

    /// A description of a device that this machine does not have; nothing can be computed on it.
    static ClDevice device(String name, ClDevice.Kind kind, String driver) {
        return device(name, kind, driver, 8, 30, 1024, 48, "");
    }

    private static ClDevice device(
            String name,
            ClDevice.Kind kind,
            String driver,
            long gib,
            int version,
            int workGroup,
            int localKib,
            String missing) {
        return new ClDevice(
                "opencl",
                1,
                2,
                kind,
                name,
                "NVIDIA Corporation",
                0x10DE,
                "Driver",
                "OpenCL 3.0",
                driver,
                version,
                12,
                gib << 30,
                gib << 28,
                (long) localKib << 10,
                workGroup,
                1,
                128,
                false,
                false,
                Set.of("cl_khr_fp16"),
                true,
                Dot4.of(false, Optional.empty(), 90),
                Optional.of(missing).filter(m -> !m.isEmpty()));
    }

    private static ClDevice device(String name, ClDevice.Kind kind, long gib) {
        return device(name, kind, gib, 30, 1024, 48, "");
    }

    @Test
    void theBestDeviceComesFirst() {
        ClSurvey survey = ClSurvey.of(
                List.of(
                        device("cpu", ClDevice.Kind.CPU, 256),
                        device("shared", ClDevice.Kind.INTEGRATED_GPU, 64),
                        device("small", GPU, 8),
                        device("large", GPU, 24)),
                List.of(),
                List.of("Driver"));
        assertThat(survey.devices())
                .extracting(d -> d.id() + " " + d.name())
                .containsExactly("opencl:0 large", "opencl:1 small", "opencl:2 shared", "opencl:3 cpu");
        Probe.Usable usable = (Probe.Usable) survey.probe();
        assertThat(usable.rank()).isEqualTo(20);
        assertThat(usable.reason()).isEqualTo("discrete GPU, large");
        assertThat(usable.devices().getFirst())
                .isEqualTo(new DeviceInfo(
                        "opencl:0",
                        "large",
                        24L << 30,
                        List.of(
                                "discrete GPU",
                                "1 compute unit",
                                "work-groups of 1024",
                                "48 KiB of local memory",
                                "buffers of 6.0 GiB",
                                "fp16",
                                "8-bit products by dp4a (compute capability 9.0)",
                                "OpenCL 3.0",
                                "driver 550 (Driver)")));
        assertThat(survey.devices().getFirst().isNvidia()).isTrue();
        assertThat(survey.devices().getLast().isNvidia()).isFalse();
    }

    /// `--backend auto` takes the highest rank, and that of the backend cpu is 10.
    @Test
    void aCpuRanksBelowTheBackendCpu() {
        ClSurvey survey = ClSurvey.of(List.of(device("cpu", ClDevice.Kind.CPU, 256)), List.of(), List.of("Driver"));
        assertThat(((Probe.Usable) survey.probe()).rank()).isEqualTo(5);
    }

    @Test
    void whatIsNotUsedIsNamedWithItsReason() {
        List<ClDevice> unfit = List.of(
                device("old", GPU, 8, 11, 1024, 48, ""),
                device("narrow", GPU, 8, 12, 128, 48, ""),
                device("tight", GPU, 8, 12, 256, 16, ""),
                device("big", GPU, 8, 12, 256, 32, "it is big-endian"));
        List<String> reasons = List.of(
                "a driver fails: why",
                "old (Driver): OpenCL 1.1, and 1.2 is needed",
                "narrow (Driver): work-groups of at most 128, and 256 are needed",
                "tight (Driver): 16 KiB of local memory, and 32 KiB are needed",
                "big (Driver): it is big-endian");
        Probe.Unusable nothing = (Probe.Unusable) ClSurvey.of(unfit, List.of("a driver fails: why"), List.of("Driver"))
                .probe();
        assertThat(nothing.reason()).isEqualTo("no OpenCL device that can be used; " + String.join("; ", reasons));

        List<ClDevice> withOne = List.of(
                unfit.get(0), unfit.get(1), device("good", GPU, 8, 12, 256, 32, ""), unfit.get(2), unfit.get(3));
        Probe.Usable usable = (Probe.Usable) ClSurvey.of(withOne, List.of("a driver fails: why"), List.of("Driver"))
                .probe();
        assertThat(usable.devices()).extracting(DeviceInfo::description).containsExactly("good");
        assertThat(usable.refused()).isEqualTo(reasons);
    }

    @Test
    void aDriverWithoutADevice() {
        Probe.Unusable none = (Probe.Unusable)
                ClSurvey.of(List.of(), List.of(), List.of("NVIDIA CUDA")).probe();
        assertThat(none.reason()).isEqualTo("no OpenCL device; NVIDIA CUDA finds none");
        Probe.Unusable mesa = (Probe.Unusable)
                ClSurvey.of(List.of(), List.of(), List.of("rusticl")).probe();
        assertThat(mesa.remedy()).contains("RUSTICL_ENABLE");
    }

    @Test
    void howBytesAreMultiplied() {
        Dot4 nvidia = Dot4.of(false, Optional.empty(), 61);
        assertThat(nvidia.way()).isEqualTo(Dot4.Way.PTX);
        assertThat(nvidia.reason()).isEqualTo("8-bit products by dp4a (compute capability 6.1)");
        Dot4 first = Dot4.of(true, Optional.empty(), 0);
        assertThat(first.way()).isEqualTo(Dot4.Way.EXTENSION);
        assertThat(first).isEqualTo(Dot4.of(true, Optional.of(true), 0));
        assertThat(Dot4.of(true, Optional.of(false), 0).reason())
                .isEqualTo("float products (cl_khr_integer_dot_product is not accelerated)");
        assertThat(Dot4.of(false, Optional.empty(), 60).reason())
                .isEqualTo("float products (compute capability 6.0 has no dp4a)");
        assertThat(Dot4.of(false, Optional.empty(), 0).reason())
                .isEqualTo("float products (no cl_khr_integer_dot_product)");
        assertThat(Dot4.of(false, Optional.empty(), 0).isFast()).isFalse();
    }

    /// Its kernels of floats are vectors, those of integers are not.
    @Test
    void aCpuMultipliesFloats() {
        assertThat(device("gpu", GPU, 8).eightBits()).isTrue();
        ClDevice cpu = device("cpu", ClDevice.Kind.CPU, 8);
        assertThat(cpu.eightBits()).isFalse();
        assertThat(cpu.info().facts()).contains("float products (CPU)");
    }

    @Test
    void versions() {
        assertThat(ClDevice.version("OpenCL 3.0 PoCL HSTR: 1.8")).isEqualTo(30);
        assertThat(ClDevice.version("OpenCL C 1.2 ")).isEqualTo(12);
        assertThat(ClDevice.version("")).isEqualTo(10);
    }

    @Test
    void theDevicesOfThisMachine() {
        ClDevice device = OpenClHere.device();
        assertThat(device.id()).isEqualTo("opencl:0");
        assertThat(device.name()).isNotEmpty();
        assertThat(device.version()).isBetween(12, 40);
        assertThat(device.languageVersion()).isBetween(12, 40);
        assertThat(device.globalMemory()).isGreaterThan(64L << 20);
        assertThat(device.maxAllocation()).isBetween(16L << 20, device.globalMemory());
        assertThat(device.localMemory()).isBetween(32L << 10, 1L << 30);
        assertThat(device.maxWorkGroup()).isBetween(256L, 1L << 20);
        assertThat(device.computeUnits()).isPositive();
        assertThat(device.alignment()).isBetween(1, 1 << 16);
        Probe.Usable usable = (Probe.Usable) new OpenClProvider().probe();
        assertThat(usable.devices()).hasSize(ClSurvey.here().devices().size());
        assertThat(usable.devices().getFirst().memoryBytes()).isEqualTo(device.globalMemory());
        DeviceInfo unknown = new DeviceInfo("opencl:99", "", 0, List.of());
        assertThatThrownBy(() -> new OpenClProvider().open(unknown, DeviceOptions.DEFAULT))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("there is no device 'opencl:99'");
    }

    /// The loader stays in a process once it is there, so each case has its own. None may print a warning.
    private String probe(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                ProbeMain.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(err, StandardCharsets.UTF_8)).isEmpty();
        assertThat(process.exitValue()).isZero();
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    @Test
    void aProcessOfItsOwnFindsTheSame() throws IOException, InterruptedException {
        ClDevice device = OpenClHere.device();
        assertThat(probe(Map.of())).startsWith("Usable[").contains(device.name());
    }

    @Test
    void aLoaderThatIsNotThere() throws IOException, InterruptedException {
        assertThat(probe(Map.of(ClLibrary.VARIABLE, "/nowhere/libOpenCL.so.1")))
                .contains("no OpenCL loader; PANAMOE_OPENCL_LIBRARY=/nowhere/libOpenCL.so.1 cannot be loaded")
                .contains("remedy=let PANAMOE_OPENCL_LIBRARY name the loader's file");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aLibraryThatIsNoLoader() throws IOException, InterruptedException {
        assertThat(probe(Map.of(ClLibrary.VARIABLE, "libc.so.6")))
                .contains("no OpenCL loader; libc.so.6 has no function clGetPlatformIDs");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aLoaderWithoutDrivers() throws IOException, InterruptedException {
        OpenClHere.device();
        Path vendors = Files.createDirectory(folder.resolve("vendors"));
        assertThat(probe(Map.of("OCL_ICD_VENDORS", vendors.toString())))
                .contains("no OpenCL driver; ")
                .contains("remedy=");
    }

    /// LWJGL's own native library goes to the user's folder for caches, and nothing is printed, neither by LWJGL nor by
    /// the JVM.
    @Test
    void lwjglStartsSilently() throws IOException, InterruptedException {
        OpenClHere.device();
        Path home = folder.resolve("home");
        assertThat(probe(Map.of("HOME", home.toString(), "XDG_CACHE_HOME", ""), "lwjgl"))
                .endsWith("LWJGL runs\n");
        try (Stream<Path> files = Files.walk(home.resolve(".cache/panamoe/lwjgl"))) {
            assertThat(files.filter(Files::isRegularFile)).hasSize(1);
        }
    }

    @Test
    void lwjglStartsWithoutAHome() throws IOException, InterruptedException {
        OpenClHere.device();
        assertThat(probe(Map.of("HOME", "", "XDG_CACHE_HOME", ""), "lwjgl")).endsWith("LWJGL runs\n");
    }
}
