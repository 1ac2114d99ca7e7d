package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;

/// The backend of all devices that an OpenCL driver reaches: GPUs of any vendor, and CPUs.
public final class OpenClProvider implements BackendProvider {
    /// For the service loader.
    public OpenClProvider() {}

    @Override
    public String name() {
        return "opencl";
    }

    @Override
    public Probe probe() {
        return ClSurvey.here().probe();
    }

    @Override
    public Device open(DeviceInfo device, DeviceOptions options) {
        ClDevice found = ClSurvey.here().devices().stream()
                .filter(d -> d.id().equals(device.id()))
                .findFirst()
                .orElseThrow(
                        () -> new PanamoeException("there is no device '" + device.id() + "'; see 'panamoe devices'"));
        ClSurvey.startLwjgl();
        return new OpenClDevice(device, found, options);
    }
}
