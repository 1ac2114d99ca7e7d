package dev.panamoe.reference;

import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.KvCache;

/// Keys and values as floats, one array each; F16 caches round every stored value to F16.
final class ReferenceCache implements KvCache {
    private final CacheSpec spec;
    private float[] keys;
    private float[] values;

    ReferenceCache(CacheSpec spec) {
        this.spec = spec;
        this.keys = new float[Math.multiplyExact(spec.capacity(), spec.kvHeads() * spec.keySize())];
        this.values = spec.valuesInKeys()
                ? new float[0]
                : new float[Math.multiplyExact(spec.capacity(), spec.kvHeads() * spec.valueSize())];
    }

    @Override
    public CacheSpec spec() {
        return spec;
    }

    void store(int position, float[] k, int kAt, float[] v, int vAt) {
        int slot = position % spec.capacity();
        store(k, kAt, keys, slot, spec.kvHeads() * spec.keySize());
        if (!spec.valuesInKeys()) {
            store(v, vAt, values, slot, spec.kvHeads() * spec.valueSize());
        }
    }

    private void store(float[] from, int at, float[] to, int slot, int width) {
        for (int i = 0; i < width; i++) {
            float x = from[at + i];
            to[slot * width + i] = spec.type() == CacheType.F16 ? Float.float16ToFloat(Float.floatToFloat16(x)) : x;
        }
    }

    float key(int position, int head, int i) {
        int slot = position % spec.capacity();
        return keys[(slot * spec.kvHeads() + head) * spec.keySize() + i];
    }

    float value(int position, int head, int i) {
        if (spec.valuesInKeys()) {
            return key(position, head, i);
        }
        int slot = position % spec.capacity();
        return values[(slot * spec.kvHeads() + head) * spec.valueSize() + i];
    }

    @Override
    public void close() {
        keys = new float[0];
        values = new float[0];
    }
}
