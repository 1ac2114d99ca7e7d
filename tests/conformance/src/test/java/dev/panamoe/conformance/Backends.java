package dev.panamoe.conformance;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Probe;
import java.util.ArrayList;
import java.util.List;

/// The backends that this machine can test.
final class Backends {
    private static final boolean FORCED_WIDTH = System.getProperty("panamoe.cpu.vectorBits") != null;

    /// One of {@link Activations} to test alone, in lower case, or nothing for all.
    private static final String ACTIVATIONS = System.getProperty("panamoe.test.activations", "");

    private Backends() {}

    /// A backend under test, in one of its ways to compute.
    record Backend(BackendProvider provider, DeviceOptions options) {
        Device open(int threads) {
            Probe.Usable usable = (Probe.Usable) provider.probe();
            return provider.open(usable.devices().getFirst(), options.withThreads(threads));
        }

        /// Numbers of threads to compute with; a device that is not the processor does not ask for any.
        List<Integer> threads() {
            return provider.name().equals("cpu") ? List.of(1, 2, 3) : List.of(1);
        }

        /// Whether only some types and shapes are to be tested: a processor takes seconds to compile the kernels of
        /// each. The others have their turn under the profile `slow`.
        boolean compilesLong() {
            return provider.name().equals("opencl") && !Boolean.getBoolean("panamoe.slow");
        }

        @Override
        public String toString() {
            return provider.name() + " " + options.kernels() + " " + options.activations() + " " + options.packing();
        }
    }

    /// All usable ones but the reference, which defines the results, with weights as they are. The system property
    /// `panamoe.test.backend` leaves only one.
    static List<Backend> all() {
        String only = FORCED_WIDTH ? "cpu" : System.getProperty("panamoe.test.backend", "");
        return BackendProvider.all().stream()
                .filter(p -> !p.name().equals("reference") && p.probe() instanceof Probe.Usable)
                .filter(p -> only.isEmpty() || only.equals(p.name()))
                .map(p -> new Backend(p, DeviceOptions.DEFAULT.withPacking(DeviceOptions.Packing.NONE)))
                .toList();
    }

    /// The same, with activations of 8 bits too, and with re-packed weights once for each kernel set: for operations
    /// that multiply weights. Where a vector width is forced, only the sets that have widths. The system property
    /// `panamoe.test.activations` (`auto`, `q8`) leaves only one.
    static List<Backend> withKernels() {
        List<Backend> found = new ArrayList<>(all());
        for (Backend b : all()) {
            found.add(new Backend(b.provider(), b.options().withActivations(Activations.Q8)));
            b.provider().kernels().stream()
                    .filter(kernels -> !FORCED_WIDTH || kernels.equals("vector"))
                    .forEach(kernels ->
                            found.add(new Backend(b.provider(), DeviceOptions.DEFAULT.withKernels(kernels))));
        }
        return found.stream()
                .filter(b -> ACTIVATIONS.isEmpty()
                        || ACTIVATIONS.equalsIgnoreCase(
                                b.options().activations().name()))
                .toList();
    }

    static Device reference(Activations activations) {
        return BackendProvider.all().stream()
                .filter(p -> p.name().equals("reference"))
                .map(p -> new Backend(p, DeviceOptions.DEFAULT.withActivations(activations)).open(1))
                .findFirst()
                .orElseThrow();
    }
}
