package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;

/// Holds the place of the OpenCL backend, which this version does not have: it lists no device and says so.
public final class OpenClProvider implements BackendProvider {
    private static final Probe.Unusable ABSENT = new Probe.Unusable("no kernels in this version", "use --backend cpu");

    /// For the service loader.
    public OpenClProvider() {}

    @Override
    public String name() {
        return "opencl";
    }

    @Override
    public Probe probe() {
        return ABSENT;
    }

    @Override
    public Device open(DeviceInfo device, DeviceOptions options) {
        throw new PanamoeException(device.id() + ": " + ABSENT.reason() + "; " + ABSENT.remedy());
    }
}
