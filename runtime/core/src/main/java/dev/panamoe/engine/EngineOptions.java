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
public record EngineOptions(String backend, DeviceOptions device, int contextLength, CacheType cacheType) {
    /// Long enough for most conversations, short enough for a laptop's memory.
    public static final int DEFAULT_CONTEXT = 8192;

    private static final int MAX_THREADS = 4096;

    public static final EngineOptions DEFAULT = new EngineOptions(
            Backends.AUTO, DeviceOptions.DEFAULT.withPacking(DeviceOptions.Packing.KEPT), 0, CacheType.F16);

    public EngineOptions {
        if (device.threads() < 0 || device.threads() > MAX_THREADS) {
            throw new PanamoeException("--threads is " + device.threads() + ", expected 1 to " + MAX_THREADS);
        }
        if (contextLength < 0) {
            throw new PanamoeException("--ctx is " + contextLength + ", expected 1 or more");
        }
    }

    public EngineOptions withBackend(String name) {
        return new EngineOptions(name, device, contextLength, cacheType);
    }

    public EngineOptions withDevice(DeviceOptions options) {
        return new EngineOptions(backend, options, contextLength, cacheType);
    }

    /// @param count host threads; 0 = as many as the backend thinks best
    public EngineOptions withThreads(int count) {
        return withDevice(device.withThreads(count));
    }

    public EngineOptions withContextLength(int positions) {
        return new EngineOptions(backend, device, positions, cacheType);
    }

    public EngineOptions withCacheType(CacheType type) {
        return new EngineOptions(backend, device, contextLength, type);
    }
}
