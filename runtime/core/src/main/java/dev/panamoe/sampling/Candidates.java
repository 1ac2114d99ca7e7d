package dev.panamoe.sampling;

/// The tokens that may still be chosen, with their logits. Its arrays grow to the vocabulary once and are reused.
final class Candidates {
    private int[] ids = new int[0];
    private float[] logits = new float[0];
    private int size;

    int size() {
        return size;
    }

    int id(int i) {
        return ids[i];
    }

    float logit(int i) {
        return logits[i];
    }

    void truncate(int n) {
        size = Math.min(size, n);
    }

    private void ensure(int n) {
        if (ids.length < n) {
            ids = new int[n];
            logits = new float[n];
        }
    }

    /// All tokens, in the order of their ids.
    void all(float[] source, int offset, int count) {
        ensure(count);
        for (int i = 0; i < count; i++) {
            ids[i] = i;
        }
        System.arraycopy(source, offset, logits, 0, count);
        size = count;
    }

    /// These, as they are.
    void sorted(int[] sourceIds, float[] sourceLogits, int count) {
        ensure(count);
        System.arraycopy(sourceIds, 0, ids, 0, count);
        System.arraycopy(sourceLogits, 0, logits, 0, count);
        size = count;
    }

    /// The `k` tokens with the largest logits, largest first, lower ids first among equals: one pass with a heap of
    /// the `k` best so far, whose root is the worst of them.
    void top(float[] source, int offset, int count, int k) {
        int n = Math.min(k, count);
        ensure(n);
        size = n;
        for (int i = 0; i < n; i++) {
            ids[i] = i;
            logits[i] = source[offset + i];
        }
        for (int i = n / 2 - 1; i >= 0; i--) {
            siftDown(i, n);
        }
        for (int i = n; i < count; i++) {
            // An equal logit of a higher id is worse than the root, so only a larger one enters.
            if (source[offset + i] > logits[0]) {
                ids[0] = i;
                logits[0] = source[offset + i];
                siftDown(0, n);
            }
        }
        for (int end = n - 1; end > 0; end--) {
            swap(0, end);
            siftDown(0, end);
        }
    }

    /// Keeps those with a logit of at least `least`, in order.
    void keepAtLeast(double least) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (logits[i] >= least) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                kept++;
            }
        }
        size = kept;
    }

    private boolean isWorse(int a, int b) {
        return logits[a] < logits[b] || (logits[a] == logits[b] && ids[a] > ids[b]);
    }

    private void siftDown(int from, int n) {
        int i = from;
        while (2 * i + 1 < n) {
            int child = 2 * i + 1;
            if (child + 1 < n && isWorse(child + 1, child)) {
                child++;
            }
            if (!isWorse(child, i)) {
                return;
            }
            swap(i, child);
            i = child;
        }
    }

    private void swap(int a, int b) {
        int id = ids[a];
        ids[a] = ids[b];
        ids[b] = id;
        float logit = logits[a];
        logits[a] = logits[b];
        logits[b] = logit;
    }
}
