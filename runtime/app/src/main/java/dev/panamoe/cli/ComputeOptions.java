package dev.panamoe.cli;

import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.DeviceOptions.Packing;
import dev.panamoe.spi.DeviceOptions.Tuning;
import picocli.CommandLine.Option;

/// How a device computes, and what it keeps of the weights: the same for every command that runs a model.
final class ComputeOptions {
    @Option(
            names = "--activations",
            paramLabel = "T",
            description = "What activations are rounded to before they meet quantised weights: auto (default, the"
                    + " backend's fastest), q8 (8 bits) or f32 (not at all).")
    private Activations activations = Activations.AUTO;

    @Option(
            names = "--no-repack",
            description = "Computes on the weights as they lie in the file: slower, but nothing is copied. Activations"
                    + " are then f32 unless --activations says otherwise.")
    private boolean noRepack;

    @Option(names = "--no-pack-cache", description = "Keeps no re-packed weights on disk for the next start.")
    private boolean noPackCache;

    @Option(
            names = "--opencl-tuning",
            paramLabel = "T",
            description =
                    "Whether the backend opencl measures which layouts of its kernels are the fastest: auto"
                            + " (default: once on a GPU, and kept), off, or again (anew, on CPUs too). No result depends on it.")
    private Tuning tuning = Tuning.AUTO;

    /// @param threads 0 = as many as the backend thinks best
    DeviceOptions deviceOptions(int threads, String kernels) {
        Packing packing = noRepack ? Packing.NONE : noPackCache ? Packing.MEMORY : Packing.KEPT;
        return new DeviceOptions(threads, kernels, activations, packing, tuning);
    }
}
