package dev.panamoe.conformance;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.ArrayList;
import java.util.List;

/// The backends that this machine can test.
final class Backends {
    private Backends() {}

    /// A backend under test.
    record Backend(BackendProvider provider) {
        Device open(int threads) {
            Probe.Usable usable = (Probe.Usable) provider.probe();
            return provider.open(usable.devices().getFirst(), new DeviceOptions(threads));
        }

        @Override
        public String toString() {
            return provider.name();
        }
    }

    /// All usable ones but the reference, which defines the results.
    static List<Backend> all() {
        List<Backend> found = new ArrayList<>();
        for (BackendProvider p : BackendProvider.all()) {
            if (!p.name().equals("reference") && p.probe() instanceof Probe.Usable) {
                found.add(new Backend(p));
            }
        }
        return found;
    }

    static Device reference() {
        return BackendProvider.all().stream()
                .filter(p -> p.name().equals("reference"))
                .map(p -> new Backend(p).open(1))
                .findFirst()
                .orElseThrow();
    }
}
