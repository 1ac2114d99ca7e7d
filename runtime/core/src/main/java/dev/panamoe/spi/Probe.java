package dev.panamoe.spi;

import java.util.List;

/// What a backend found when it looked around: devices, or why there are none.
public sealed interface Probe {
    /// @param devices best first, at least one
    /// @param rank how good the best device is; the highest rank is chosen at start-up (reference 0, CPU 10, GPUs
    ///     above)
    /// @param reason why this rank, one line
    /// @param refused other devices that were found and cannot be used, one line each: `name: why`
    record Usable(List<DeviceInfo> devices, int rank, String reason, List<String> refused) implements Probe {
        public Usable {
            devices = List.copyOf(devices);
            refused = List.copyOf(refused);
            if (devices.isEmpty()) {
                throw new IllegalArgumentException("usable without a device");
            }
        }

        /// With no other devices.
        public Usable(List<DeviceInfo> devices, int rank, String reason) {
            this(devices, rank, reason, List.of());
        }
    }

    /// @param reason what is missing, one line
    /// @param remedy what the user can do about it, one line
    record Unusable(String reason, String remedy) implements Probe {}
}
