package dev.panamoe.spec;

import dev.panamoe.tensor.QuantType;

/// How keys and values are stored: what is kept of each value, and in the block types of how many the scale is shared.
public enum CacheType {
    F32(QuantType.F32),
    F16(QuantType.F16),
    BF16(QuantType.BF16),
    Q8_0(QuantType.Q8_0),
    Q4_0(QuantType.Q4_0);

    private final QuantType storage;

    CacheType(QuantType storage) {
        this.storage = storage;
    }

    public QuantType storage() {
        return storage;
    }
}
