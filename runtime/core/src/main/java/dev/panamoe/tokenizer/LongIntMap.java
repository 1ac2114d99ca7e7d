package dev.panamoe.tokenizer;

import java.util.Arrays;

/// A hash map from non-negative longs to ints in two plain arrays, open addressing with linear probing.
final class LongIntMap {
    private static final long EMPTY = -1;

    private long[] keys;
    private int[] values;
    private int size;

    /// @param expected number of entries that fit without growing
    LongIntMap(int expected) {
        int capacity = tableSize(expected);
        keys = new long[capacity];
        Arrays.fill(keys, EMPTY);
        values = new int[capacity];
    }

    /// The power of two that `entries` fill at most to a half.
    static int tableSize(int entries) {
        return Integer.highestOneBit(Math.max(8, entries) * 2 - 1) * 2;
    }

    /// The value of `key`, or `otherwise` when there is none.
    int get(long key, int otherwise) {
        int slot = slot(key);
        return keys[slot] == key ? values[slot] : otherwise;
    }

    /// Adds an entry unless the key has one already.
    void putIfAbsent(long key, int value) {
        int slot = slot(key);
        if (keys[slot] == key) {
            return;
        }
        keys[slot] = key;
        values[slot] = value;
        if (++size > keys.length / 2) {
            grow();
        }
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        // Multiplication spreads into the high bits: the golden ratio, as Knuth's multiplicative hashing takes it.
        long mixed = key * 0x9E3779B97F4A7C15L;
        int slot = (int) (mixed >>> 32) & mask;
        while (keys[slot] != key && keys[slot] != EMPTY) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        LongIntMap larger = new LongIntMap(keys.length);
        for (int i = 0; i < keys.length; i++) {
            if (keys[i] != EMPTY) {
                larger.putIfAbsent(keys[i], values[i]);
            }
        }
        keys = larger.keys;
        values = larger.values;
    }
}
