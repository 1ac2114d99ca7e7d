package dev.panamoe.spec;

import dev.panamoe.tensor.QuantType;

/// How keys and values are stored.
public enum CacheType {
    F32(QuantType.F32),
    F16(QuantType.F16);

    private final QuantType storage;

    CacheType(QuantType storage) {
        this.storage = storage;
    }

    public QuantType storage() {
        return storage;
    }
}
