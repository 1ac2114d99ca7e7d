package dev.panamoe.spi;

/// How to open a device.
///
/// @param threads host threads to compute with; 0 = as many as the backend thinks best
public record DeviceOptions(int threads) {
    public static final DeviceOptions DEFAULT = new DeviceOptions(0);
}
