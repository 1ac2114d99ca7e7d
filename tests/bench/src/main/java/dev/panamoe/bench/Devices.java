package dev.panamoe.bench;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Probe;
import java.util.ArrayList;
import java.util.List;

/// Devices by name: a backend, and after a colon one of its kernel sets, or `none` for weights as they lie in the file.
final class Devices {
    private static final String REFERENCE = "reference";
    private static final String AS_THEY_LIE = "none";

    private Devices() {}

    private static List<BackendProvider> usable() {
        return BackendProvider.all().stream()
                .filter(p -> !p.name().equals(REFERENCE) && p.probe() instanceof Probe.Usable)
                .toList();
    }

    /// Every backend of this machine but the reference, which is slow by design.
    static List<String> backends() {
        return usable().stream().map(BackendProvider::name).toList();
    }

    /// The same with every way to multiply.
    static List<String> names() {
        List<String> names = new ArrayList<>();
        for (BackendProvider p : usable()) {
            if (p.kernels().isEmpty()) {
                names.add(p.name());
            } else {
                names.add(p.name() + ":" + AS_THEY_LIE);
                p.kernels().forEach(kernels -> names.add(p.name() + ":" + kernels));
            }
        }
        return names;
    }

    /// What a device of this arithmetic is compared with.
    static Device reference(Arithmetic arithmetic) {
        return open(REFERENCE, new DeviceOptions(1).withActivations(Activations.of(arithmetic)));
    }

    /// @param threads 0 = as many as the backend thinks best
    static Device open(String name, int threads) {
        return open(name, new DeviceOptions(threads));
    }

    private static Device open(String name, DeviceOptions options) {
        int colon = name.indexOf(':');
        String backend = colon < 0 ? name : name.substring(0, colon);
        String kernels = colon < 0 ? DeviceOptions.AUTO : name.substring(colon + 1);
        for (BackendProvider p : BackendProvider.all()) {
            if (p.name().equals(backend)) {
                return switch (p.probe()) {
                    case Probe.Unusable u ->
                        throw new PanamoeException(backend + ": " + u.reason() + "; " + u.remedy());
                    case Probe.Usable u ->
                        p.open(
                                u.devices().getFirst(),
                                kernels.equals(AS_THEY_LIE)
                                        ? options.withPacking(DeviceOptions.Packing.NONE)
                                        : options.withKernels(kernels));
                };
            }
        }
        throw new PanamoeException("there is no backend '" + backend + "'; -p device= takes " + names());
    }
}
