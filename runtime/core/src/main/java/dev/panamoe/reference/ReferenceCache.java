package dev.panamoe.reference;

import dev.panamoe.quant.BlockDecoder;
import dev.panamoe.quant.BlockEncoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.KvCache;
import java.lang.foreign.MemorySegment;

/// Keys and values as floats, one array each; every stored row is encoded as the cache's type and decoded again.
final class ReferenceCache implements KvCache {
    private final CacheSpec spec;
    private final BlockEncoder encoder;
    private final BlockDecoder decoder;
    private float[] keys;
    private float[] values;

    ReferenceCache(CacheSpec spec) {
        this.spec = spec;
        this.encoder = Quants.encoder(spec.type().storage());
        this.decoder = Quants.get(spec.type().storage());
        this.keys = new float[Math.multiplyExact(spec.capacity(), spec.kvHeads() * spec.keySize())];
        this.values = spec.valuesInKeys()
                ? new float[0]
                : new float[Math.multiplyExact(spec.capacity(), spec.kvHeads() * spec.valueSize())];
    }

    /// What such a cache takes.
    static long bytes(CacheSpec spec) {
        long width = spec.keySize() + (spec.valuesInKeys() ? 0L : spec.valueSize());
        return (long) spec.capacity() * spec.kvHeads() * width * Float.BYTES;
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

    /// All heads at once: each is a whole number of blocks.
    private void store(float[] from, int at, float[] to, int slot, int width) {
        MemorySegment row = MemorySegment.ofArray(
                new byte[Math.toIntExact(spec.type().storage().rowBytes(width))]);
        encoder.encode(from, at, row, 0, width);
        decoder.decode(row, 0, to, slot * width, width);
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
