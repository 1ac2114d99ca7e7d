package dev.panamoe.spi;

import java.util.List;

/// What a backend found when it looked around: devices, or why there are none.
public sealed interface Probe {
    /// @param devices best first, at least one
    /// @param rank how good the best device is; the highest rank is chosen at start-up (reference 0, CPU 10, GPUs
    ///     above)
    /// @param reason why this rank, one line
    record Usable(List<DeviceInfo> devices, int rank, String reason) implements Probe {
        public Usable {
            devices = List.copyOf(devices);
            if (devices.isEmpty()) {
                throw new IllegalArgumentException("usable without a device");
            }
        }
    }

    /// @param reason what is missing, one line
    /// @param remedy what the user can do about it, one line
    record Unusable(String reason, String remedy) implements Probe {}
}
