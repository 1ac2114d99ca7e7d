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
        PlaneBytes bytes = PlaneBytes.of(spec);
        try {
            this.keyWords = memory.allocateZeroed(bytes.keyWords, what);
            planes.add(keyWords);
            this.keyScales = orKeyWords(bytes.keyScales, what);
            this.valueWords = orKeyWords(bytes.valueWords, what);
            this.valueScales = orKeyWords(bytes.valueScales, what);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// A plane that has no bytes is not read: a kernel gets the words of keys in its place.
    private long orKeyWords(long bytes, String what) {
        if (bytes == 0) {
            return keyWords;
        }
        long plane = memory.allocateZeroed(bytes, what);
        planes.add(plane);
        return plane;
    }

    /// What each plane takes; 0 where a cache has none.
    private record PlaneBytes(long keyWords, long keyScales, long valueWords, long valueScales) {
        static PlaneBytes of(CacheSpec spec) {
            int perWord = perWord(spec);
            long scaleBytes = spec.type().storage().blockSize() > 1 ? Short.BYTES : 0;
            // Whole panels of slots have keys.
            long panels = (long) spec.kvHeads() * Math.ceilDiv(spec.capacity(), PackedFormat.PANEL);
            long keyBlocks = panels * Math.ceilDiv(spec.keySize(), BLOCK) * PackedFormat.PANEL;
            long valueRows = spec.valuesInKeys() ? 0 : (long) spec.kvHeads() * spec.capacity();
            long valueScales = valueRows * (spec.valueSize() / BLOCK) * scaleBytes;
            return new PlaneBytes(
                    Math.multiplyExact(keyBlocks, (long) BLOCK / perWord * Integer.BYTES),
                    keyBlocks * scaleBytes,
                    Math.multiplyExact(valueRows, (long) Math.ceilDiv(spec.valueSize(), perWord) * Integer.BYTES),
                    // Rounded up to words, as memory is.
                    Math.ceilDiv(valueScales, (long) Integer.BYTES) * Integer.BYTES);
        }
    }

    /// Bytes of device memory; more than {@link CacheSpec#byteSize}, since keys fill whole panels.
    static long bytes(CacheSpec spec) {
        PlaneBytes b = PlaneBytes.of(spec);
        return b.keyWords + b.keyScales + b.valueWords + b.valueScales;
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
