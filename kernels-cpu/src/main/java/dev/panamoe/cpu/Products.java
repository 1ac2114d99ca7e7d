package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.SUMS;

import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// Products of some rows of a weight with some rows of activations: the work of one chunk.
///
/// Few activation rows are multiplied straight from the stored weights. For many, a panel of weight rows is unpacked
/// once and multiplied in tiles of four by four; a tile keeps its partial sums over pieces of the row so that both
/// operands of a piece stay in the nearest cache.
final class Products {
    /// From this many activation rows on, unpacking pays.
    static final int PANEL_FROM = 4;

    /// Values of a panel: most of a level-2 cache of half a megabyte and up.
    private static final int PANEL = 96 * 1024;

    private static final int PANEL_ROWS = 32;

    /// Values of a row that are worked on at a time: four rows of weights and of activations fit level 1.
    private static final int PIECE = 512;

    /// Partial sums of a panel with this many tokens stay in level 2.
    private static final int TOKENS = 64;

    /// Formats whose products of no values come before those that count. The JIT inlines a call that has met two
    /// formats (a model of Q8_0 with an F32 router), and the kernel it met second is then four times slower than by
    /// itself; a call that has met more it leaves alone.
    private static final WeightFormat[] DECOYS = {
        WeightFormat.of(QuantType.F32), WeightFormat.of(QuantType.F16), WeightFormat.of(QuantType.BF16)
    };

    private Products() {}

    /// Rows of a panel for a row length.
    static int panelRows(int cols) {
        return Math.clamp((PANEL / stride(cols)) & -4, 4, PANEL_ROWS);
    }

    /// Rows of a panel lie a little apart, so that they do not fall on the same cache sets.
    private static int stride(int cols) {
        return ((cols + SUMS - 1) & -SUMS) + SUMS;
    }

    /// `y[yAt[t] + o] = factor(slice) * sum_c W[slice, o, c] * x[xAt[t] + c]` for rows `from` to `from + count - 1` of
    /// the slice and entries `first` to `first + tokens - 1` of `xAt` and `yAt`.
    static void rows(
            CpuWeight w,
            int slice,
            int from,
            int count,
            float[] x,
            int[] xAt,
            float[] y,
            int[] yAt,
            int first,
            int tokens,
            Scratch scratch) {
        if (tokens < PANEL_FROM) {
            few(w, slice, from, count, x, xAt, y, yAt, first, tokens, scratch);
        } else {
            many(w, slice, from, count, x, xAt, y, yAt, first, tokens, scratch);
        }
    }

    private static void few(
            CpuWeight w,
            int slice,
            int from,
            int count,
            float[] x,
            int[] xAt,
            float[] y,
            int[] yAt,
            int first,
            int tokens,
            Scratch scratch) {
        scratch.sums = Scratch.atLeast(scratch.sums, SUMS);
        float[] sums = scratch.sums;
        WeightFormat format = w.format();
        MemorySegment data = w.data();
        int cols = w.cols();
        float factor = w.factor(slice);
        for (WeightFormat decoy : DECOYS) {
            dot(decoy, data, w.offset(slice, from), x, xAt[first], 0, sums);
        }
        for (int row = from; row < from + count; row++) {
            long offset = w.offset(slice, row);
            for (int t = first; t < first + tokens; t++) {
                dot(format, data, offset, x, xAt[t], cols, sums);
                y[yAt[t] + row] = factor * Tile.total(sums, 0);
            }
        }
    }

    private static void dot(
            WeightFormat format, MemorySegment data, long offset, float[] x, int at, int cols, float[] sums) {
        format.dot(data, offset, x, at, cols, sums, 0);
    }

    private static void many(
            CpuWeight w,
            int slice,
            int from,
            int count,
            float[] x,
            int[] xAt,
            float[] y,
            int[] yAt,
            int first,
            int tokens,
            Scratch scratch) {
        int cols = w.cols();
        int stride = stride(cols);
        int panelRows = panelRows(cols);
        scratch.panel = Scratch.atLeast(scratch.panel, panelRows * stride);
        scratch.sums = Scratch.atLeast(scratch.sums, PANEL_ROWS * TOKENS * SUMS);
        for (int row = from; row < from + count; row += panelRows) {
            int n = Math.min(panelRows, from + count - row);
            for (int i = 0; i < n; i++) {
                w.format().unpack(w.data(), w.offset(slice, row + i), scratch.panel, i * stride, cols);
            }
            for (int t = first; t < first + tokens; t += TOKENS) {
                panel(
                        scratch.panel,
                        stride,
                        n,
                        row,
                        cols,
                        x,
                        xAt,
                        y,
                        yAt,
                        t,
                        Math.min(TOKENS, first + tokens - t),
                        w.factor(slice),
                        scratch.sums);
            }
        }
    }

    /// `n` rows of a panel, which are rows from `row` on of the result, with up to {@link #TOKENS} rows of `x`, times
    /// `factor`. The last tile of four may reach beyond either; what it computes there is not used.
    static void panel(
            float[] panel,
            int stride,
            int n,
            int row,
            int cols,
            float[] x,
            int[] xAt,
            float[] y,
            int[] yAt,
            int first,
            int tokens,
            float factor,
            float[] sums) {
        int tiles = (n + 3) >> 2;
        int last = first + tokens - 1;
        int whole = cols & -SUMS;
        int k = 0;
        do {
            int piece = Math.min(PIECE, whole - k);
            for (int t = 0; t < tokens; t += 4) {
                int x0 = xAt[first + t] + k;
                int x1 = xAt[Math.min(first + t + 1, last)] + k;
                int x2 = xAt[Math.min(first + t + 2, last)] + k;
                int x3 = xAt[Math.min(first + t + 3, last)] + k;
                for (int i = 0; i < tiles; i++) {
                    int s = ((t >> 2) * tiles + i) * 16 * SUMS;
                    Tile.dot4x4(panel, 4 * i * stride + k, stride, x, x0, x1, x2, x3, piece, sums, s, k == 0);
                }
            }
            k += piece;
        } while (k < whole);
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < tiles; i++) {
                int s = (((t >> 2) * tiles + i) * 16 + (t & 3) * 4) * SUMS;
                if (whole < cols) {
                    Tile.tail4x1(
                            panel, 4 * i * stride + whole, stride, x, xAt[first + t] + whole, cols - whole, sums, s);
                }
                int o = yAt[first + t] + row + 4 * i;
                int valid = Math.min(4, n - 4 * i);
                for (int r = 0; r < valid; r++) {
                    y[o + r] = factor * Tile.total(sums, s + r * SUMS);
                }
            }
        }
    }
}
