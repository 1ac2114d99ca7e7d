package dev.panamoe.spi;

import java.util.List;
import java.util.ServiceLoader;

/// A way of computing: found by {@link ServiceLoader}, asked what it could do here, then opened.
public interface BackendProvider {
    /// `cpu`, `cuda`, `opencl`, `reference`.
    String name();

    /// Looks for devices. Never throws, compiles nothing, takes milliseconds.
    Probe probe();

    /// The kernel sets that {@link DeviceOptions#kernels} may name and that work here, best first; empty where there is
    /// no choice.
    default List<String> kernels() {
        return List.of();
    }

    /// Opens a device that {@link #probe} listed.
    ///
    /// @throws dev.panamoe.PanamoeException when it cannot be opened after all
    Device open(DeviceInfo device, DeviceOptions options);

    /// Every provider on the class or module path.
    static List<BackendProvider> all() {
        return ServiceLoader.load(BackendProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }
}
