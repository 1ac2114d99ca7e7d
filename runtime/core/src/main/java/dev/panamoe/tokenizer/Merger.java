package dev.panamoe.tokenizer;

import java.util.Arrays;
import java.util.function.IntConsumer;

/// Applies the merge rules to one piece of text after the other: again and again the neighbours whose rule is first in
/// order become one token, the leftmost where the order is equal. O(n log n) in the length of a piece, which may be a
/// megabyte. Scratch space of one call of `encode`; it grows with the longest piece.
final class Merger {
    private static final int END = -1;

    private final Merges merges;

    // The symbols of the piece, a doubly linked list by index. `rules[i]` belongs to the pair of symbol i and the
    // one after it, and is NONE for symbols that were merged away.
    private int[] ids = new int[64];
    private int[] before = new int[64];
    private int[] after = new int[64];
    private int[] rules = new int[64];
    private int count;

    // A binary heap of `order << 32 | index`. Entries are not removed when a pair changes: one is out of date when its
    // order is not that of `rules[index]` any more.
    private long[] heap = new long[64];
    private int heapSize;

    Merger(Merges merges) {
        this.merges = merges;
    }

    /// Adds the next symbol of the piece: a token id, or any negative number for what is not in the vocabulary.
    void add(int id) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, count * 2);
        }
        ids[count++] = id;
    }

    /// Merges the piece, hands over what it became, and is ready for the next one.
    void finish(IntConsumer symbols) {
        link();
        while (heapSize > 0) {
            long lowest = pop();
            int index = (int) lowest;
            if (rules[index] != Merges.NONE && merges.order(rules[index]) == (int) (lowest >>> 32)) {
                merge(index);
            }
        }
        for (int i = count == 0 ? END : 0; i != END; i = after[i]) {
            symbols.accept(ids[i]);
        }
        count = 0;
    }

    private void link() {
        if (before.length < ids.length) {
            before = new int[ids.length];
            after = new int[ids.length];
            rules = new int[ids.length];
        }
        if (heap.length < count) {
            heap = new long[ids.length];
        }
        for (int i = 0; i < count; i++) {
            before[i] = i - 1;
            after[i] = i + 1 < count ? i + 1 : END;
            rules[i] = after[i] == END ? Merges.NONE : merges.rule(ids[i], ids[i + 1]);
            if (rules[i] != Merges.NONE) {
                heap[heapSize++] = entry(i);
            }
        }
        for (int i = heapSize / 2 - 1; i >= 0; i--) {
            siftDown(i);
        }
    }

    private void merge(int index) {
        int gone = after[index];
        ids[index] = merges.result(rules[index]);
        after[index] = after[gone];
        if (after[index] != END) {
            before[after[index]] = index;
        }
        rules[gone] = Merges.NONE;
        pair(index);
        if (before[index] != END) {
            pair(before[index]);
        }
    }

    private void pair(int index) {
        rules[index] = after[index] == END ? Merges.NONE : merges.rule(ids[index], ids[after[index]]);
        if (rules[index] != Merges.NONE) {
            push(entry(index));
        }
    }

    private long entry(int index) {
        return ((long) merges.order(rules[index]) << 32) | index;
    }

    private void push(long entry) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, heapSize * 2);
        }
        int at = heapSize++;
        while (at > 0 && heap[(at - 1) / 2] > entry) {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = entry;
    }

    private long pop() {
        long lowest = heap[0];
        heap[0] = heap[--heapSize];
        siftDown(0);
        return lowest;
    }

    private void siftDown(int from) {
        long entry = heap[from];
        int at = from;
        for (int child = 2 * at + 1; child < heapSize; child = 2 * at + 1) {
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= entry) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = entry;
    }
}
