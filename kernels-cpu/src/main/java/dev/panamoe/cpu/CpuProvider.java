package dev.panamoe.cpu;

import dev.panamoe.PanamoeException;
import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.MemoryInfo;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Stream;

/// The backend that is always there: the cores and the vector unit of this machine.
public final class CpuProvider implements BackendProvider {
    private static final int RANK = 10;

    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Probe probe() {
        if (!vectorModule()) {
            return new Probe.Unusable(
                    "this Java was started without its module " + VECTOR_MODULE,
                    "start with --add-modules " + VECTOR_MODULE);
        }
        CpuInfo cpu = CpuInfo.read();
        int bits = VectorWidth.preferred();
        String cores = cpu.physical() + (cpu.physical() == 1 ? " core" : " cores");
        Optional<String> slow = slowBecause(cpu, bits);
        DeviceInfo device = new DeviceInfo(
                name(),
                cpu.model(),
                MemoryInfo.read().usableTotal().orElse(0),
                Stream.concat(
                                Stream.of(
                                        cores + ", " + cpu.logical() + " threads",
                                        bits + "-bit vectors",
                                        kernelFacts()),
                                slow.map(s -> "slow: " + s).stream())
                        .toList());
        return new Probe.Usable(
                List.of(device),
                RANK,
                slow.map(s -> "slow on this machine: " + s)
                        .orElse(cores + ", "
                                + KernelSets.choose(DeviceOptions.AUTO).name() + " kernels"));
    }

    @Override
    public List<String> kernels() {
        return KernelSets.candidates().stream()
                .filter(c -> c.kernels().isPresent())
                .map(KernelSets.Candidate::name)
                .toList();
    }

    /// The kernel set that runs, and why no faster one.
    private static String kernelFacts() {
        StringJoiner others = new StringJoiner("; ");
        for (KernelSets.Candidate c : KernelSets.candidates()) {
            if (c.kernels().isPresent()) {
                return c.name() + " kernels" + (others.length() == 0 ? "" : " (" + others + ")");
            }
            others.add("not " + c.name() + ": " + c.reason());
        }
        throw new IllegalStateException("the Vector API is always there");
    }

    /// Why the Vector API would run as plain, slow Java here.
    private static Optional<String> slowBecause(CpuInfo cpu, int bits) {
        if (bits < 128) {
            return Optional.of("the vector unit has less than 128 bits");
        }
        if (!cpu.flags().isEmpty()
                && cpu.flags().contains("sse2")
                && !cpu.flags().contains("fma")) {
            return Optional.of("the processor has no fused multiply-add");
        }
        String vm = System.getProperty("java.vm.name", "");
        String mode = System.getProperty("java.vm.info", "");
        if (mode.startsWith("interpreted") || !(vm.contains("HotSpot") || vm.contains("OpenJDK"))) {
            return Optional.of("this Java (" + vm + ", " + mode + ") does not compile vector operations");
        }
        return Optional.empty();
    }

    private static boolean vectorModule() {
        return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    }

    @Override
    public Device open(DeviceInfo device, DeviceOptions options) {
        if (!vectorModule()) {
            throw new PanamoeException("cpu: this Java was started without the module " + VECTOR_MODULE
                    + "; start with --add-modules " + VECTOR_MODULE);
        }
        CpuInfo cpu = CpuInfo.read();
        int threads = options.threads() > 0 ? options.threads() : cpu.performance();
        List<Integer> cpus = threads <= cpu.performance() ? cpu.performanceCpus() : List.of();
        return new CpuDevice(device, KernelSets.choose(options.kernels()), threads, cpus, options);
    }
}
