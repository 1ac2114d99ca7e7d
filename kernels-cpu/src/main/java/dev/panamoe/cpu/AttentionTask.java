package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;
import static dev.panamoe.cpu.Simd.L;
import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.spi.Attention;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import java.util.Arrays;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// Attention over a cache. A chunk is some queries that read the same key head.
///
/// Positions are worked off in blocks that begin at multiples of {@link #BLOCK}, with a running maximum and sum carried
/// from block to block (online softmax), and blocks in splits that begin at multiples of {@link #SPLIT}: each split by
/// itself, then merged in rising order. So splits can be shared between threads where there are few heads, and a
/// result is the same bits whether they are or not. Which splits and blocks a query sees depends on its own position
/// only; a sink is what merging begins with.
///
/// Keys and values of a block are unpacked once for all queries of the chunk; for one or two of the same token they are
/// used as they are stored ({@link StoredRows}), which gives the same bits.
final class AttentionTask implements WorkerPool.Task {
    private static final int BLOCK = 32;

    /// Positions of a split: some tens of microseconds of work.
    static final int SPLIT = 512;

    /// With fewer chunks than this for each thread, threads share the splits of a chunk.
    private static final int SHARED_BELOW = 8;

    /// Queries of a chunk at most.
    private static final int QUERIES = 16;

    /// Queries of the same token that use rows as they are stored; more of them pay for unpacking.
    private static final int STORED = 2;

    private final Scratch[] scratch;
    private final WorkerPool.Task mergePass = this::merge;
    private @Nullable CpuCache current;
    private Attention attention = new Attention(1, 1, 0);
    private float[] q = new float[0];
    private float[] out = new float[0];
    private int valueSize;
    private int queriesPerHead;
    private int chunkQueries;
    private int chunksPerHead;

    /// Of the queries sorted by key head: where they are in `q` and `out`, and what they see.
    private int[] qAt = new int[0];

    private int[] outAt = new int[0];
    private int[] firsts = new int[0];
    private int[] lasts = new int[0];
    private int[] scoresAt = new int[0];

    /// What has been merged of each query: largest score and sum of the factors. They begin with its head's sink, or
    /// with nothing.
    private float[] maxima = new float[0];

    private float[] totals = new float[0];

    /// Where threads share the splits of a query: how many there are and which is the first, and of query `i` and the
    /// `j`-th split, at `i * splits + j`, the largest score, the sum of factors and the sum of values.
    private int splits;

    private int firstSplit;
    private float[] splitMaxima = new float[0];
    private float[] splitTotals = new float[0];
    private float[] splitValues = new float[0];

    AttentionTask(Scratch[] scratch) {
        this.scratch = scratch;
    }

    void run(WorkerPool pool, Rows outs, Rows qs, CpuCache from, Ids at, Attention how) {
        current = from;
        valueSize = from.spec().valueSize();
        attention = how;
        q = HostBuffer.floats(qs);
        out = HostBuffer.floats(outs);
        int[] positions = HostBuffer.ints(at);
        int kvHeads = from.spec().kvHeads();
        int perKey = how.heads() / kvHeads;
        queriesPerHead = at.rows() * perKey;
        qAt = Scratch.atLeast(qAt, qs.rows());
        outAt = Scratch.atLeast(outAt, qs.rows());
        firsts = Scratch.atLeast(firsts, qs.rows());
        lasts = Scratch.atLeast(lasts, qs.rows());
        maxima = Scratch.atLeast(maxima, qs.rows());
        totals = Scratch.atLeast(totals, qs.rows());
        int first = Integer.MAX_VALUE;
        int last = 0;
        float[] headSinks = how.sinks() == null ? null : ((CpuVector) how.sinks()).values();
        for (int r = 0; r < qs.rows(); r++) {
            int token = r / how.heads();
            int head = r % how.heads();
            int i = head / perKey * queriesPerHead + token * perKey + head % perKey;
            qAt[i] = qs.offset() + r * qs.stride();
            outAt[i] = outs.offset() + r * outs.stride();
            int position = positions[at.offset() + token];
            lasts[i] = position;
            maxima[i] = headSinks == null ? Float.NEGATIVE_INFINITY : headSinks[head];
            totals[i] = headSinks == null ? 0 : 1;
            firsts[i] = how.window() == 0 ? 0 : Math.max(0, position - how.window() + 1);
            first = Math.min(first, firsts[i]);
            last = Math.max(last, lasts[i]);
        }
        int forBalance = Math.ceilDiv(qs.rows(), 2 * pool.threads());
        chunkQueries = Math.clamp((forBalance + 3) & -4, 4, QUERIES);
        chunksPerHead = Math.ceilDiv(queriesPerHead, chunkQueries);
        scoresAt = Scratch.atLeast(scoresAt, qs.rows());
        for (int i = 0; i < qs.rows(); i++) {
            scoresAt[i] = i % queriesPerHead % chunkQueries * BLOCK;
        }
        firstSplit = first / SPLIT;
        splits = last / SPLIT - firstSplit + 1;
        int chunks = kvHeads * chunksPerHead;
        if (splits == 1 || pool.threads() == 1 || chunks >= SHARED_BELOW * pool.threads()) {
            splits = 1;
            pool.run(chunks, this);
            return;
        }
        splitMaxima = Scratch.atLeast(splitMaxima, qs.rows() * splits);
        splitTotals = Scratch.atLeast(splitTotals, qs.rows() * splits);
        splitValues = Scratch.atLeast(splitValues, qs.rows() * splits * valueSize);
        pool.run(chunks * splits, this);
        pool.run(qs.rows(), mergePass);
    }

    @Override
    public void run(int chunk, int thread) {
        int part = chunk / splits;
        int head = part / chunksPerHead;
        int from = head * queriesPerHead + part % chunksPerHead * chunkQueries;
        int count = Math.min(chunkQueries, (head + 1) * queriesPerHead - from);
        CacheSpec spec = Objects.requireNonNull(current).spec();
        Scratch mine = scratch[thread];
        mine.panel = Scratch.atLeast(mine.panel, BLOCK * keyStride(spec));
        mine.values = Scratch.atLeast(mine.values, spec.valuesInKeys() ? 0 : BLOCK * valueStride(spec));
        mine.sums = Scratch.atLeast(mine.sums, BLOCK * QUERIES * SUMS);
        mine.scores = Scratch.atLeast(mine.scores, QUERIES * BLOCK);
        mine.maxima = Scratch.atLeast(mine.maxima, QUERIES);
        mine.totals = Scratch.atLeast(mine.totals, QUERIES);
        // One more row than queries: see `mixStored`.
        mine.mixed = Scratch.atLeast(mine.mixed, (QUERIES + 1) * valueSize);
        if (splits > 1) {
            int split = chunk % splits;
            split(head, from, count, firstSplit + split, mine);
            for (int i = 0; i < count; i++) {
                int at = (from + i) * splits + split;
                splitMaxima[at] = mine.maxima[i];
                splitTotals[at] = mine.totals[i];
                System.arraycopy(mine.mixed, i * valueSize, splitValues, at * valueSize, valueSize);
            }
            return;
        }
        int first = Integer.MAX_VALUE;
        int last = 0;
        for (int i = from; i < from + count; i++) {
            first = Math.min(first, firsts[i]);
            last = Math.max(last, lasts[i]);
            Arrays.fill(out, outAt[i], outAt[i] + valueSize, 0);
        }
        for (int split = first / SPLIT; split <= last / SPLIT; split++) {
            split(head, from, count, split, mine);
            for (int i = 0; i < count; i++) {
                merge(from + i, mine.maxima[i], mine.totals[i], mine.mixed, i * valueSize);
            }
        }
        for (int i = from; i < from + count; i++) {
            divide(outAt[i], totals[i]);
        }
    }

    /// Merges the splits of query `i`.
    private void merge(int i, int thread) {
        Arrays.fill(out, outAt[i], outAt[i] + valueSize, 0);
        for (int at = i * splits; at < (i + 1) * splits; at++) {
            merge(i, splitMaxima[at], splitTotals[at], splitValues, at * valueSize);
        }
        divide(outAt[i], totals[i]);
    }

    /// Adds a split to what has been merged of query `i`: both shrink to the larger of their maxima.
    private void merge(int i, float max, float total, float[] values, int at) {
        if (max == Float.NEGATIVE_INFINITY) {
            // It sees nothing of this split.
            return;
        }
        float larger = Math.max(maxima[i], max);
        float before = VectorMath.exp(maxima[i] - larger);
        float now = VectorMath.exp(max - larger);
        maxima[i] = larger;
        totals[i] = Math.fma(total, now, totals[i] * before);
        int o = outAt[i];
        int whole = valueSize - valueSize % L;
        for (int d = 0; d < whole; d += L) {
            FloatVector.fromArray(F, values, at + d)
                    .fma(
                            FloatVector.broadcast(F, now),
                            FloatVector.fromArray(F, out, o + d).mul(before))
                    .intoArray(out, o + d);
        }
        for (int d = whole; d < valueSize; d++) {
            out[o + d] = Math.fma(values[at + d], now, out[o + d] * before);
        }
    }

    private static int keyStride(CacheSpec spec) {
        return ((spec.keySize() + SUMS - 1) & -SUMS) + SUMS;
    }

    private static int valueStride(CacheSpec spec) {
        return spec.valuesInKeys() ? keyStride(spec) : ((spec.valueSize() + SUMS - 1) & -SUMS) + SUMS;
    }

    /// `count` queries from `from` on and what they see of a split: results in `maxima`, `totals` and `mixed` of
    /// `mine`, query by query.
    private void split(int head, int from, int count, int split, Scratch mine) {
        CpuCache cache = Objects.requireNonNull(current);
        CacheSpec spec = cache.spec();
        int first = Integer.MAX_VALUE;
        int last = 0;
        boolean same = true;
        for (int i = from; i < from + count; i++) {
            mine.maxima[i - from] = Float.NEGATIVE_INFINITY;
            mine.totals[i - from] = 0;
            first = Math.min(first, firsts[i]);
            last = Math.max(last, lasts[i]);
            same &= firsts[i] == firsts[from] && lasts[i] == lasts[from];
        }
        Arrays.fill(mine.mixed, 0, (count + 1) * valueSize, 0);
        first = Math.max(first, split * SPLIT);
        last = Math.min(last, split * SPLIT + SPLIT - 1);
        boolean stored = same && count <= STORED && StoredRows.fits(spec);
        for (int block = first / BLOCK * BLOCK; block <= last; block += BLOCK) {
            int begin = Math.max(block, first);
            int n = Math.min(block + BLOCK - 1, last) - begin + 1;
            if (stored) {
                stored(cache, head, from, count, block, begin, n, mine);
            } else {
                unpacked(cache, head, from, count, block, begin, n, mine);
            }
        }
    }

    /// A block by way of unpacked rows.
    private void unpacked(CpuCache cache, int head, int from, int count, int block, int begin, int n, Scratch mine) {
        CacheSpec spec = cache.spec();
        int keyStride = keyStride(spec);
        int valueStride = valueStride(spec);
        cache.keys(head, begin, n, mine.panel, 0, keyStride);
        Products.panel(
                mine.panel,
                keyStride,
                n,
                begin - block,
                spec.keySize(),
                q,
                qAt,
                mine.scores,
                scoresAt,
                from,
                count,
                attention.scale(),
                mine.sums);
        if (!spec.valuesInKeys()) {
            cache.values(head, begin, n, mine.values, 0, valueStride);
        }
        float[] values = spec.valuesInKeys() ? mine.panel : mine.values;
        for (int i = 0; i < count; i++) {
            softmax(from + i, i, block, mine);
        }
        for (int i = 0; i < count; i += 4) {
            mix(from + i, Math.min(4, count - i), i, block, begin, values, valueStride, mine);
        }
    }

    /// A block of one or two queries that see the same positions, by way of stored rows.
    private void stored(CpuCache cache, int head, int from, int count, int block, int begin, int n, Scratch mine) {
        int place = begin - block;
        int slot = cache.slot(begin);
        // A ring may begin anew within the block.
        int run = Math.min(n, cache.spec().capacity() - slot);
        scores(cache, head, from, count - 1, slot, place, run, mine);
        if (run < n) {
            scores(cache, head, from, count - 1, 0, place + run, n - run, mine);
        }
        for (int i = 0; i < count; i++) {
            softmax(from + i, i, block, mine);
        }
        mixStored(cache, head, count - 1, slot, place, run, mine);
        if (run < n) {
            mixStored(cache, head, count - 1, 0, place + run, n - run, mine);
        }
    }

    /// Scores of a query and of the one `second` behind it, itself if there is no other, with `rows` positions from
    /// slot `slot` on.
    private void scores(CpuCache cache, int head, int from, int second, int slot, int place, int rows, Scratch mine) {
        CacheSpec spec = cache.spec();
        StoredRows.scores(
                spec.type(),
                cache.data(),
                cache.keyOffset(head, slot),
                spec.keyBytes(),
                rows,
                spec.keySize(),
                q,
                qAt[from],
                qAt[from + second],
                mine.sums);
        for (int p = 0; p < rows; p++) {
            mine.scores[place + p] = attention.scale() * Tile.total(mine.sums, 2 * SUMS * p);
            mine.scores[second * BLOCK + place + p] = attention.scale() * Tile.total(mine.sums, 2 * SUMS * p + SUMS);
        }
    }

    /// Adds the values to both queries of {@link #scores}; where there is no other, to a second row that nobody reads.
    private void mixStored(CpuCache cache, int head, int second, int slot, int place, int rows, Scratch mine) {
        CacheSpec spec = cache.spec();
        boolean inKeys = spec.valuesInKeys();
        StoredRows.mix(
                spec.type(),
                cache.data(),
                inKeys ? cache.keyOffset(head, slot) : cache.valueOffset(head, slot),
                inKeys ? spec.keyBytes() : spec.valueBytes(),
                rows,
                valueSize,
                mine.scores,
                place,
                second * BLOCK + place,
                mine.mixed,
                0,
                valueSize);
    }

    /// Turns the scores of query `i`, the `local`-th of its chunk, in a block into factors on the block's values, and
    /// rescales what was summed before if the maximum grows. Positions that it does not see get factor 0.
    private void softmax(int i, int local, int block, Scratch mine) {
        float[] scores = mine.scores;
        int at = local * BLOCK;
        int begin = Math.max(firsts[i] - block, 0);
        int end = Math.min(lasts[i] - block + 1, BLOCK);
        if (begin >= end) {
            return;
        }
        float max = mine.maxima[local];
        for (int p = begin; p < end; p++) {
            max = Math.max(max, scores[at + p]);
        }
        Arrays.fill(scores, at, at + begin, Float.NEGATIVE_INFINITY);
        Arrays.fill(scores, at + end, at + BLOCK, Float.NEGATIVE_INFINITY);
        for (int p = 0; p < BLOCK; p += L) {
            VectorMath.exp(FloatVector.fromArray(F, scores, at + p).sub(max)).intoArray(scores, at + p);
        }
        for (int p = 0; p < SUMS; p += L) {
            FloatVector.fromArray(F, scores, at + p)
                    .add(FloatVector.fromArray(F, scores, at + p + SUMS))
                    .intoArray(mine.sums, p);
        }
        if (max != mine.maxima[local]) {
            float shrink = VectorMath.exp(mine.maxima[local] - max);
            mine.totals[local] *= shrink;
            Elementwise.scale(mine.mixed, local * valueSize, shrink, valueSize);
            mine.maxima[local] = max;
        }
        mine.totals[local] += Tile.total(mine.sums, 0);
    }

    /// Adds a block's values to `count` queries from `i` on, the `local`-th and following of their chunk. What all four
    /// see is added for all at once; each query still meets its positions in rising order.
    private void mix(int i, int count, int local, int block, int begin, float[] values, int stride, Scratch mine) {
        float[] to = mine.mixed;
        float[] factors = mine.scores;
        int commonBegin = 0;
        int commonEnd = BLOCK;
        for (int j = i; j < i + count; j++) {
            commonBegin = Math.max(commonBegin, firsts[j] - block);
            commonEnd = Math.min(commonEnd, lasts[j] - block + 1);
        }
        boolean together = count == 4 && commonBegin < commonEnd;
        int n = valueSize;
        // Row 0 of `values` is position `begin`.
        int base = (block - begin) * stride;
        for (int j = 0; j < count; j++) {
            int from = Math.max(firsts[i + j] - block, 0);
            int end = together ? commonBegin : Math.min(lasts[i + j] - block + 1, BLOCK);
            int factorsAt = (local + j) * BLOCK + from;
            mix1(to, (local + j) * n, factors, factorsAt, values, base + from * stride, stride, end - from, 0, n);
        }
        if (!together) {
            return;
        }
        int f = local * BLOCK + commonBegin;
        int v = base + commonBegin * stride;
        mix4(
                to,
                local * n,
                (local + 1) * n,
                (local + 2) * n,
                (local + 3) * n,
                factors,
                f,
                values,
                v,
                stride,
                commonEnd - commonBegin,
                n);
        for (int j = 0; j < count; j++) {
            int end = Math.min(lasts[i + j] - block + 1, BLOCK);
            int factorsAt = (local + j) * BLOCK + commonEnd;
            mix1(
                    to,
                    (local + j) * n,
                    factors,
                    factorsAt,
                    values,
                    base + commonEnd * stride,
                    stride,
                    end - commonEnd,
                    0,
                    n);
        }
    }

    /// `out[o + d] += sum_t factors[f + t] * values[v + t * stride + d]` for `d` from `from` to `n - 1`, `t < count`.
    private static void mix1(
            float[] out, int o, float[] factors, int f, float[] values, int v, int stride, int count, int from, int n) {
        if (count <= 0) {
            return;
        }
        int d = from;
        for (; d <= n - 4 * L; d += 4 * L) {
            FloatVector a0 = FloatVector.fromArray(F, out, o + d);
            FloatVector a1 = FloatVector.fromArray(F, out, o + d + L);
            FloatVector a2 = FloatVector.fromArray(F, out, o + d + 2 * L);
            FloatVector a3 = FloatVector.fromArray(F, out, o + d + 3 * L);
            for (int t = 0; t < count; t++) {
                FloatVector s = FloatVector.broadcast(F, factors[f + t]);
                int row = v + t * stride + d;
                a0 = FloatVector.fromArray(F, values, row).fma(s, a0);
                a1 = FloatVector.fromArray(F, values, row + L).fma(s, a1);
                a2 = FloatVector.fromArray(F, values, row + 2 * L).fma(s, a2);
                a3 = FloatVector.fromArray(F, values, row + 3 * L).fma(s, a3);
            }
            a0.intoArray(out, o + d);
            a1.intoArray(out, o + d + L);
            a2.intoArray(out, o + d + 2 * L);
            a3.intoArray(out, o + d + 3 * L);
        }
        for (; d <= n - L; d += L) {
            FloatVector a = FloatVector.fromArray(F, out, o + d);
            for (int t = 0; t < count; t++) {
                a = FloatVector.fromArray(F, values, v + t * stride + d)
                        .fma(FloatVector.broadcast(F, factors[f + t]), a);
            }
            a.intoArray(out, o + d);
        }
        for (; d < n; d++) {
            float a = out[o + d];
            for (int t = 0; t < count; t++) {
                a = Math.fma(values[v + t * stride + d], factors[f + t], a);
            }
            out[o + d] = a;
        }
    }

    /// {@link #mix1} for four queries, whose factors are {@link #BLOCK} apart.
    private static void mix4(
            float[] out,
            int o0,
            int o1,
            int o2,
            int o3,
            float[] factors,
            int f,
            float[] values,
            int v,
            int stride,
            int count,
            int n) {
        int d = 0;
        for (; d <= n - 2 * L; d += 2 * L) {
            FloatVector a0 = FloatVector.fromArray(F, out, o0 + d);
            FloatVector b0 = FloatVector.fromArray(F, out, o0 + d + L);
            FloatVector a1 = FloatVector.fromArray(F, out, o1 + d);
            FloatVector b1 = FloatVector.fromArray(F, out, o1 + d + L);
            FloatVector a2 = FloatVector.fromArray(F, out, o2 + d);
            FloatVector b2 = FloatVector.fromArray(F, out, o2 + d + L);
            FloatVector a3 = FloatVector.fromArray(F, out, o3 + d);
            FloatVector b3 = FloatVector.fromArray(F, out, o3 + d + L);
            for (int t = 0; t < count; t++) {
                int row = v + t * stride + d;
                FloatVector x = FloatVector.fromArray(F, values, row);
                FloatVector y = FloatVector.fromArray(F, values, row + L);
                FloatVector s = FloatVector.broadcast(F, factors[f + t]);
                a0 = x.fma(s, a0);
                b0 = y.fma(s, b0);
                s = FloatVector.broadcast(F, factors[f + t + BLOCK]);
                a1 = x.fma(s, a1);
                b1 = y.fma(s, b1);
                s = FloatVector.broadcast(F, factors[f + t + 2 * BLOCK]);
                a2 = x.fma(s, a2);
                b2 = y.fma(s, b2);
                s = FloatVector.broadcast(F, factors[f + t + 3 * BLOCK]);
                a3 = x.fma(s, a3);
                b3 = y.fma(s, b3);
            }
            a0.intoArray(out, o0 + d);
            b0.intoArray(out, o0 + d + L);
            a1.intoArray(out, o1 + d);
            b1.intoArray(out, o1 + d + L);
            a2.intoArray(out, o2 + d);
            b2.intoArray(out, o2 + d + L);
            a3.intoArray(out, o3 + d);
            b3.intoArray(out, o3 + d + L);
        }
        mix1(out, o0, factors, f, values, v, stride, count, d, n);
        mix1(out, o1, factors, f + BLOCK, values, v, stride, count, d, n);
        mix1(out, o2, factors, f + 2 * BLOCK, values, v, stride, count, d, n);
        mix1(out, o3, factors, f + 3 * BLOCK, values, v, stride, count, d, n);
    }

    private void divide(int at, float total) {
        int n = valueSize;
        int whole = n - n % L;
        for (int i = 0; i < whole; i += L) {
            FloatVector.fromArray(F, out, at + i).div(total).intoArray(out, at + i);
        }
        for (int i = whole; i < n; i++) {
            out[at + i] /= total;
        }
    }
}
