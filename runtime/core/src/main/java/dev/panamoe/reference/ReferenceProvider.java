package dev.panamoe.reference;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.List;

/// The backend that defines the others: always usable, never the best choice.
public final class ReferenceProvider implements BackendProvider {
    /// For the service loader.
    public ReferenceProvider() {}

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Probe probe() {
        DeviceInfo info = new DeviceInfo(
                "reference", "plain Java, one thread, double sums", 0, List.of("for checking other backends"));
        return new Probe.Usable(List.of(info), 0, "slow; it is there to define the results");
    }

    @Override
    public Device open(DeviceInfo device, DeviceOptions options) {
        return new ReferenceDevice(device, options.activations());
    }
}
