package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.DeviceOptions;

/// How an engine runs a model.
///
/// @param backend `auto`, a backend or a device of one
/// @param device how to open the device
/// @param contextLength positions a session can hold; 0 = the model's own, but at most {@link #DEFAULT_CONTEXT}
/// @param cacheType storage of keys and values
/// @param ifDeviceLost what the next request does after one that failed because the device was lost
public record EngineOptions(
        String backend, DeviceOptions device, int contextLength, CacheType cacheType, IfDeviceLost ifDeviceLost) {
    /// What a request does that finds the device lost.
    public enum IfDeviceLost {
        /// Opens the device again, as it was opened first.
        REOPEN,
        /// Goes on with the backend `cpu`.
        CPU,
        /// Fails, as all that follow it do.
        FAIL
    }

    /// Long enough for most conversations, short enough for a laptop's memory.
    public static final int DEFAULT_CONTEXT = 8192;

    private static final int MAX_THREADS = 4096;

    public static final EngineOptions DEFAULT = new EngineOptions(
            Backends.AUTO,
            DeviceOptions.DEFAULT.withPacking(DeviceOptions.Packing.KEPT),
            0,
            CacheType.F16,
            IfDeviceLost.REOPEN);

    public EngineOptions {
        if (device.threads() < 0 || device.threads() > MAX_THREADS) {
            throw new PanamoeException("--threads is " + device.threads() + ", expected 1 to " + MAX_THREADS);
        }
        if (contextLength < 0) {
            throw new PanamoeException("--ctx is " + contextLength + ", expected 1 or more");
        }
    }

    public EngineOptions withBackend(String name) {
        return new EngineOptions(name, device, contextLength, cacheType, ifDeviceLost);
    }

    public EngineOptions withDevice(DeviceOptions options) {
        return new EngineOptions(backend, options, contextLength, cacheType, ifDeviceLost);
    }

    /// @param count host threads; 0 = as many as the backend thinks best
    public EngineOptions withThreads(int count) {
        return withDevice(device.withThreads(count));
    }

    public EngineOptions withContextLength(int positions) {
        return new EngineOptions(backend, device, positions, cacheType, ifDeviceLost);
    }

    public EngineOptions withCacheType(CacheType type) {
        return new EngineOptions(backend, device, contextLength, type, ifDeviceLost);
    }

    public EngineOptions withIfDeviceLost(IfDeviceLost what) {
        return new EngineOptions(backend, device, contextLength, cacheType, what);
    }
}
