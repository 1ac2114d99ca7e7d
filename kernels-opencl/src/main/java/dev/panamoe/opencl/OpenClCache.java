package dev.panamoe.opencl;

import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.KvCache;
import java.util.ArrayList;
import java.util.List;

/// Keys in the packed layout of weights, with slots as rows, and values slot by slot: planes of words, and of the
/// scales of block types. `attention.cl` draws them.
final class OpenClCache implements KvCache {
    /// Values of a block; plain types are cut into as many.
    private static final int BLOCK = 32;

    private final Memory memory;
    private final CacheSpec spec;
    private final List<Long> planes = new ArrayList<>();
    private final long keyWords;
    private final long keyScales;
    private final long valueWords;
    private final long valueScales;
    private boolean closed;

    OpenClCache(Memory memory, CacheSpec spec) {
        this.memory = memory;
        this.spec = spec;
        String what = what(spec);
        try {
            this.keyWords = plane(keyWordBytes(spec), what);
            this.keyScales = plane(keyScaleBytes(spec), what);
            this.valueWords = plane(valueWordBytes(spec), what);
            this.valueScales = plane(valueScaleBytes(spec), what);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// One that has no bytes is not read: a kernel gets the words of keys in its place.
    private long plane(long bytes, String what) {
        if (bytes == 0) {
            return planes.getFirst();
        }
        planes.add(memory.allocateZeroed(bytes, what));
        return planes.getLast();
    }

    /// Bytes of device memory; more than {@link CacheSpec#byteSize}, since keys fill whole panels.
    static long bytes(CacheSpec spec) {
        return keyWordBytes(spec) + keyScaleBytes(spec) + valueWordBytes(spec) + valueScaleBytes(spec);
    }

    private static long keyWordBytes(CacheSpec spec) {
        return Math.multiplyExact(keyBlocks(spec), (long) BLOCK / perWord(spec) * Integer.BYTES);
    }

    private static long keyScaleBytes(CacheSpec spec) {
        return isScaled(spec) ? keyBlocks(spec) * Short.BYTES : 0;
    }

    private static long valueWordBytes(CacheSpec spec) {
        return spec.valuesInKeys()
                ? 0
                : Math.multiplyExact(
                        valueRows(spec), (long) Math.ceilDiv(spec.valueSize(), perWord(spec)) * Integer.BYTES);
    }

    /// Rounded up to words, as memory is.
    private static long valueScaleBytes(CacheSpec spec) {
        return spec.valuesInKeys() || !isScaled(spec)
                ? 0
                : Math.ceilDiv(valueRows(spec) * (spec.valueSize() / BLOCK) * Short.BYTES, (long) Integer.BYTES)
                        * Integer.BYTES;
    }

    /// Whole panels of slots have keys.
    private static long keyBlocks(CacheSpec spec) {
        long panels = (long) spec.kvHeads() * Math.ceilDiv(spec.capacity(), PackedFormat.PANEL);
        return panels * Math.ceilDiv(spec.keySize(), BLOCK) * PackedFormat.PANEL;
    }

    private static long valueRows(CacheSpec spec) {
        return (long) spec.kvHeads() * spec.capacity();
    }

    private static boolean isScaled(CacheSpec spec) {
        return spec.type().storage().blockSize() > 1;
    }

    /// For messages.
    static String what(CacheSpec spec) {
        return "a cache of " + spec.capacity() + " positions";
    }

    /// Values of a word of 4 bytes.
    private static int perWord(CacheSpec spec) {
        return switch (spec.type()) {
            case F32 -> 1;
            case F16, BF16 -> 2;
            case Q8_0 -> 4;
            case Q4_0 -> 8;
        };
    }

    /// Gives the four planes to a kernel, and the capacity.
    Kernel give(Kernel k) {
        return k.buffer(keyWords)
                .buffer(keyScales)
                .buffer(valueWords)
                .buffer(valueScales)
                .value(spec.capacity());
    }

    /// Words of a position: of its keys and values.
    int wordsOfPosition() {
        int perWord = perWord(spec);
        int key = Math.ceilDiv(spec.keySize(), BLOCK) * (BLOCK / perWord);
        int value = spec.valuesInKeys() ? 0 : Math.ceilDiv(spec.valueSize(), perWord);
        return spec.kvHeads() * (key + value);
    }

    @Override
    public CacheSpec spec() {
        return spec;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        planes.forEach(memory::free);
    }
}
