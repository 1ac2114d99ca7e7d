package dev.panamoe.cli;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// A backend that computes what the reference does, until it loses its first device in the middle of an answer. Only
/// tests that name it in a class loader of their own have it.
public final class LostProvider implements BackendProvider {
    private static final DeviceInfo INFO = new DeviceInfo("lost:0", "soon lost", 0, List.of());

    /// Results that the first device gives.
    private static final int READS = 3;

    static final AtomicInteger READ = new AtomicInteger();

    /// For the service loader.
    public LostProvider() {}

    @Override
    public String name() {
        return "lost";
    }

    @Override
    public Probe probe() {
        return new Probe.Usable(List.of(INFO), -1, "it is soon lost");
    }

    @Override
    public Device open(DeviceInfo info, DeviceOptions options) {
        Device right = FaultyBackends.reference(info, options);
        return FaultyBackends.proxy(Device.class, (method, args) -> {
            if (method.getName().equals("read") && READ.incrementAndGet() == READS) {
                throw new DeviceLostException("OpenCL: clFinish: it is gone");
            }
            return FaultyBackends.call(right, method, args);
        });
    }
}
