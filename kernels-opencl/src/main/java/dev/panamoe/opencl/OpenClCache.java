package dev.panamoe.opencl;

import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.KvCache;

/// Keys in the packed layout of weights, with slots as rows, and values slot by slot: planes of words, and of the
/// scales of block types. `attention.cl` draws them.
final class OpenClCache implements KvCache {
    /// Values of a block; plain types are cut into as many.
    private static final int BLOCK = 32;

    private final Memory memory;
    private final CacheSpec spec;
    private final long keyWords;
    private final long keyScales;
    private final long valueWords;
    private final long valueScales;
    private boolean closed;

    OpenClCache(Memory memory, CacheSpec spec) {
        this.memory = memory;
        this.spec = spec;
        String what = what(spec);
        boolean scaled = spec.type().storage().blockSize() > 1;
        int perWord = perWord(spec);
        long panels = (long) spec.kvHeads() * Math.ceilDiv(spec.capacity(), PackedFormat.PANEL);
        long blocks = Math.ceilDiv(spec.keySize(), BLOCK);
        long panelBlocks = panels * blocks * PackedFormat.PANEL;
        this.keyWords =
                memory.allocateZeroed(Math.multiplyExact(panelBlocks, (long) BLOCK / perWord * Integer.BYTES), what);
        this.keyScales = scaled ? memory.allocateZeroed(panelBlocks * Short.BYTES, what) : keyWords;
        if (spec.valuesInKeys()) {
            this.valueWords = keyWords;
            this.valueScales = keyWords;
        } else {
            long rows = (long) spec.kvHeads() * spec.capacity();
            this.valueWords = memory.allocateZeroed(
                    Math.multiplyExact(rows, (long) Math.ceilDiv(spec.valueSize(), perWord) * Integer.BYTES), what);
            this.valueScales =
                    scaled ? memory.allocateZeroed(rows * (spec.valueSize() / BLOCK) * Short.BYTES, what) : keyWords;
        }
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
        memory.free(keyWords);
        memory.free(keyScales);
        memory.free(valueWords);
        memory.free(valueScales);
    }
}
