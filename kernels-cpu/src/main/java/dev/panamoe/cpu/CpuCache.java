package dev.panamoe.cpu;

import dev.panamoe.quant.BlockEncoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.KvCache;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Keys and values in native memory: (kvHeads, capacity, keySize) keys, then (kvHeads, capacity, valueSize) values,
/// so that what one head attends to is contiguous but for the wrap of the ring.
final class CpuCache implements KvCache {
    private final CacheSpec spec;
    private final WeightFormat format;
    private final BlockEncoder encoder;
    private final long keyBytes;
    private final long valueBytes;
    private final long valuesAt;
    private final Arena arena;
    private final MemorySegment data;

    // The arena is closed with the cache.
    @SuppressWarnings("MustBeClosedChecker")
    CpuCache(CacheSpec spec) {
        this.spec = spec;
        this.format = WeightFormat.of(spec.type().storage());
        this.encoder = Quants.encoder(spec.type().storage());
        this.keyBytes = spec.keyBytes();
        this.valueBytes = spec.valueBytes();
        this.valuesAt = keyBytes * spec.kvHeads() * spec.capacity();
        this.arena = Arena.ofShared();
        this.data = arena.allocate(spec.byteSize(), 64);
    }

    @Override
    public CacheSpec spec() {
        return spec;
    }

    /// Stores keys and values of all heads at `position`.
    void store(int position, float[] k, int kAt, float[] v, int vAt) {
        int slot = position % spec.capacity();
        for (int head = 0; head < spec.kvHeads(); head++) {
            encoder.encode(k, kAt + head * spec.keySize(), data, keyOffset(head, slot), spec.keySize());
            if (!spec.valuesInKeys()) {
                encoder.encode(v, vAt + head * spec.valueSize(), data, valueOffset(head, slot), spec.valueSize());
            }
        }
    }

    /// Keys of `count` positions from `position` on, as floats, rows `stride` apart.
    void keys(int head, int position, int count, float[] to, int at, int stride) {
        for (int i = 0; i < count; i++) {
            int slot = (position + i) % spec.capacity();
            format.unpack(data, keyOffset(head, slot), to, at + i * stride, spec.keySize());
        }
    }

    /// As {@link #keys}; the cache holds values apart from keys.
    void values(int head, int position, int count, float[] to, int at, int stride) {
        for (int i = 0; i < count; i++) {
            int slot = (position + i) % spec.capacity();
            format.unpack(data, valueOffset(head, slot), to, at + i * stride, spec.valueSize());
        }
    }

    MemorySegment data() {
        return data;
    }

    /// The slot of a position.
    int slot(int position) {
        return position % spec.capacity();
    }

    /// Byte of the key in `slot`; those of the next slots follow.
    long keyOffset(int head, int slot) {
        return ((long) head * spec.capacity() + slot) * keyBytes;
    }

    /// Byte of the value in `slot`; those of the next slots follow.
    long valueOffset(int head, int slot) {
        return valuesAt + ((long) head * spec.capacity() + slot) * valueBytes;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
