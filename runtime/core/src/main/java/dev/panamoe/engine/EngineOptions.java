package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.spec.CacheType;

/// How an engine runs a model.
///
/// @param backend `auto`, a backend or a device of one
/// @param threads host threads; 0 = as many as the backend thinks best
/// @param contextLength positions a session can hold; 0 = the model's own, but at most {@link #DEFAULT_CONTEXT}
/// @param cacheType storage of keys and values
public record EngineOptions(String backend, int threads, int contextLength, CacheType cacheType) {
    /// Long enough for most conversations, short enough for a laptop's memory.
    public static final int DEFAULT_CONTEXT = 8192;

    private static final int MAX_THREADS = 4096;

    public static final EngineOptions DEFAULT = new EngineOptions(Backends.AUTO, 0, 0, CacheType.F16);

    public EngineOptions {
        if (threads < 0 || threads > MAX_THREADS) {
            throw new PanamoeException("--threads is " + threads + ", expected 1 to " + MAX_THREADS);
        }
        if (contextLength < 0) {
            throw new PanamoeException("--ctx is " + contextLength + ", expected 1 or more");
        }
    }

    public EngineOptions withBackend(String name) {
        return new EngineOptions(name, threads, contextLength, cacheType);
    }

    public EngineOptions withThreads(int count) {
        return new EngineOptions(backend, count, contextLength, cacheType);
    }

    public EngineOptions withContextLength(int positions) {
        return new EngineOptions(backend, threads, positions, cacheType);
    }

    public EngineOptions withCacheType(CacheType type) {
        return new EngineOptions(backend, threads, contextLength, type);
    }
}
