package dev.panamoe.cli;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Probe;
import java.util.List;

/// A backend that computes what the reference does, but forgets residual connections. Only tests that name it in a
/// class loader of their own have it.
public final class WrongProvider implements BackendProvider {
    private static final DeviceInfo INFO = new DeviceInfo("wrong", "forgets residual connections", 0, List.of());

    /// For the service loader.
    public WrongProvider() {}

    @Override
    public String name() {
        return "wrong";
    }

    @Override
    public Probe probe() {
        return new Probe.Usable(List.of(INFO), -1, "it is wrong");
    }

    @Override
    public Device open(DeviceInfo info, DeviceOptions options) {
        Device right = FaultyBackends.reference(info, options);
        Ops ops = FaultyBackends.proxy(
                Ops.class,
                (method, args) ->
                        method.getName().equals("addRmsNorm") ? null : FaultyBackends.call(right.ops(), method, args));
        return FaultyBackends.proxy(
                Device.class,
                (method, args) -> method.getName().equals("ops") ? ops : FaultyBackends.call(right, method, args));
    }
}
