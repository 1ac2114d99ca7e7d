package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.L;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Products with packed weights by the Vector API: what is there on every machine.
///
/// A single token is multiplied straight from the packed weights ({@link PackedDots}), several by way of a small panel
/// of unpacked ones ({@link PackedTiles}). Two groups of rows are worked on together; the last of an odd number keeps
/// itself company.
final class VectorKernels implements KernelSet {
    /// Blocks that are unpacked at a time: weights, sums and activations fit a level-1 cache of 32 KB.
    private static final int CHUNK = 2;

    private static final int ROWS = PackedType.ROWS;

    /// Columns of a unit of a K type.
    private static final int K_UNIT = 256;

    /// A vector is as long as a group has rows.
    private static final boolean WIDE = L == ROWS;

    private static final int PAIR = PackedTiles.ROWS;

    /// Floats of a block in the panel of weights, and of the results of a tile.
    private static final int BLOCK_PANEL = VectorPanel.BLOCK * PAIR;

    private static final int TILE_RESULTS = Panel.TILE * PAIR;

    /// Columns of a block of floats that belong to one of the four sums.
    private static final int FOURTH = VectorPanel.FLOAT_BLOCK / 4;

    /// Where in `Scratch.sums` the scales of blocks or their halves, minima and results lie; before them the four sums
    /// of float weights.
    private static final int SCALES = 4 * TILE_RESULTS;

    private static final int MINIMA = SCALES + 2 * CHUNK * PAIR;
    private static final int RESULTS = MINIMA + CHUNK * PAIR;

    /// Where those of one token are, behind its results.
    private static final int DOT_SCALES = TILE_RESULTS;

    private static final int DOT_MINIMA = 2 * TILE_RESULTS;

    /// Up to this many tokens are worked on four at a time. Eight take seventeen registers and more, which most
    /// machines with vectors of 256 bits do not have.
    private static final int SMALL = L == 8 ? Panel.TILE : 4;

    /// Zeros for every token of a tile.
    private static final float[] NOTHING = new float[Panel.TILE + 8];

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public Panel newPanel() {
        return new VectorPanel();
    }

    @Override
    public void matmul(
            PackedWeight w,
            int slice,
            int group,
            int groups,
            Panel x,
            int first,
            int tokens,
            float[] y,
            int[] yAt,
            int yFirst,
            Scratch scratch) {
        VectorPanel panel = (VectorPanel) x;
        scratch.panel = Scratch.atLeast(scratch.panel, Math.max(4, CHUNK) * BLOCK_PANEL);
        scratch.sums = Scratch.atLeast(scratch.sums, RESULTS + TILE_RESULTS);
        for (int g = group; g < group + groups; g += 2) {
            boolean two = g + 1 < group + groups;
            int rows = Math.min(two ? PAIR : ROWS, w.rows() - g * ROWS);
            long at = w.offset(slice, g);
            long next = two ? w.packed().groupBytes(w.cols()) : 0;
            if (tokens == 1) {
                int o = yAt[yFirst] + g * ROWS;
                boolean straight = rows == (two || WIDE ? PAIR : ROWS);
                dots(
                        w,
                        at,
                        next,
                        two ? PAIR : ROWS,
                        panel,
                        first,
                        straight ? y : scratch.sums,
                        straight ? o : 0,
                        scratch.sums);
                if (!straight) {
                    System.arraycopy(scratch.sums, 0, y, o, rows);
                }
            } else {
                if (w.packed().floatActivations()) {
                    floatTile(w.packed(), w.data(), at, next, panel, first, tokens, scratch.panel, scratch.sums);
                } else {
                    tile(w.packed(), w.data(), at, next, panel, first, tokens, scratch.panel, scratch.sums);
                }
                for (int t = 0; t < tokens; t++) {
                    System.arraycopy(scratch.sums, RESULTS + t * PAIR, y, yAt[yFirst + t] + g * ROWS, rows);
                }
            }
        }
    }

    /// Products of one token with `rows` rows, one or two groups. Vectors of sixteen rows write both groups always.
    private static void dots(
            PackedWeight weight,
            long at,
            long next,
            int rows,
            VectorPanel x,
            int first,
            float[] y,
            int yAt,
            float[] f) {
        Arrays.fill(y, yAt, yAt + (WIDE ? PAIR : rows), 0);
        if (weight.packed().unitCols() < K_UNIT) {
            dots(weight, at, next, rows, x.blocks, x, first * x.blocks, y, yAt, f);
            return;
        }
        int step = K_UNIT / VectorPanel.BLOCK;
        for (int b = 0; b < x.blocks; b += step) {
            int n = Math.min(step, x.blocks - b);
            long unit = at + (long) (b / step) * weight.packed().unitBytes();
            scales(weight.packed(), weight.data(), unit, n, f, 0);
            scales(weight.packed(), weight.data(), unit + next, n, f, ROWS);
            dots(weight, unit, next, rows, n, x, first * x.blocks + b, y, yAt, f);
        }
    }

    /// `n` blocks from byte `at` on, with block `e` of the activations and the following.
    private static void dots(
            PackedWeight weight,
            long at,
            long next,
            int rows,
            int n,
            VectorPanel x,
            int e,
            float[] y,
            int yAt,
            float[] f) {
        if (WIDE) {
            dot(weight, at, next, 0, n, x, e, f, 0, y, yAt);
            return;
        }
        for (int r = 0; r < rows; r += 2 * L) {
            dot(weight, r < ROWS ? at : at + next, 0, r % ROWS, n, x, e, f, r, y, yAt + r);
        }
    }

    /// Two vectors of rows from row `r` of the group at `at` on, which is row `fr` of the unpacked scales.
    private static void dot(
            PackedWeight weight,
            long at,
            long next,
            int r,
            int n,
            VectorPanel x,
            int e,
            float[] f,
            int fr,
            float[] y,
            int yAt) {
        PackedType type = weight.packed();
        MemorySegment w = weight.data();
        int xAt = e * (type.floatActivations() ? VectorPanel.FLOAT_BLOCK : VectorPanel.BLOCK);
        int[] q = x.values;
        float[] d = x.scales;
        int fd = DOT_SCALES + fr;
        int fm = DOT_MINIMA + fr;
        switch (type) {
            case Q4_0 -> PackedDots.q4_0(w, at, next, r, n, q, xAt, d, x.starts, e, y, yAt);
            case Q5_0 -> PackedDots.q5_0(w, at, next, r, n, q, xAt, d, x.sums, e, y, yAt);
            case Q8_0 -> PackedDots.q8_0(w, at, next, r, n, q, xAt, d, e, y, yAt);
            case IQ4_NL -> {
                if (WIDE) {
                    PackedDots.iq4nl(w, at, next, r, n, q, xAt, d, e, y, yAt);
                } else {
                    PackedDots.iq4nlBytes(w, at, next, r, n, q, xAt, d, e, y, yAt);
                }
            }
            case MXFP4 -> {
                if (WIDE) {
                    PackedDots.mxfp4(w, at, next, r, n, q, xAt, d, e, y, yAt);
                } else {
                    PackedDots.mxfp4Bytes(w, at, next, r, n, q, xAt, d, e, y, yAt);
                }
            }
            case Q4_K -> PackedDots.q4_K(w, at, next, r, n, q, xAt, d, x.starts, e, f, fd, fm, y, yAt);
            case Q5_K -> PackedDots.q5_K(w, at, next, r, n, q, xAt, d, x.starts, x.sums, e, f, fd, fm, y, yAt);
            case Q6_K -> PackedDots.q6_K(w, at, next, r, n, q, xAt, d, x.sums, e, f, fd, y, yAt);
            case F16 -> PackedDots.f16(w, at, next, r, type.units(x.cols), q, xAt, y, yAt);
            case BF16 -> PackedDots.bf16(w, at, next, r, type.units(x.cols), q, xAt, y, yAt);
        }
    }

    /// Unpacks the scales (and minima) of `n` blocks of a unit of a K type, for the rows from `o` on.
    private static void scales(PackedType type, MemorySegment w, long unit, int n, float[] f, int o) {
        if (type == PackedType.Q6_K) {
            PackedTiles.signed(w, unit, unit + 64, 2 * n, f, DOT_SCALES + o);
        } else {
            PackedTiles.unsigned(w, unit, unit + 64, n, 1, f, DOT_SCALES + o);
            PackedTiles.unsigned(w, unit + 32, unit + 192, n, -1, f, DOT_MINIMA + o);
        }
    }

    /// Products of a tile with two groups, left in `s` from {@link #RESULTS} on.
    private static void tile(
            PackedType type,
            MemorySegment w,
            long at,
            long next,
            VectorPanel x,
            int first,
            int tokens,
            float[] panel,
            float[] s) {
        Arrays.fill(s, RESULTS, RESULTS + TILE_RESULTS, 0);
        boolean minima = type.correction() == PackedType.Correction.MINIMA;
        int parts = type.correction() == PackedType.Correction.OFFSET_OF_HALVES ? 2 : 1;
        int columns = VectorPanel.BLOCK / parts;
        // Weights that are unpacked with their sign begin with nothing.
        boolean signed = type == PackedType.IQ4_NL || type == PackedType.MXFP4;
        for (int b = 0; b < x.blocks; b += CHUNK) {
            int n = Math.min(CHUNK, x.blocks - b);
            for (int i = 0; i < n; i++) {
                unpack(type, w, at, b + i, panel, i * BLOCK_PANEL, s, i);
                unpack(type, w, at + next, b + i, panel, i * BLOCK_PANEL + ROWS, s, i);
            }
            for (int i = 0; i < n * parts; i++) {
                int e = first * x.blocks + (b + i / parts) * tokens;
                int xAt = e * VectorPanel.BLOCK + i % parts * columns;
                int p = i * columns * PAIR;
                int d = SCALES + i * PAIR;
                if (minima) {
                    minima(panel, p, x, xAt, e, tokens, s, d);
                } else {
                    int start = signed ? 0 : parts * e + i % parts;
                    multiply(panel, p, columns, x, xAt, signed ? NOTHING : x.starts, start, parts, e, tokens, s, d);
                }
            }
        }
    }

    private static void multiply(
            float[] panel,
            int p,
            int columns,
            VectorPanel x,
            int xAt,
            float[] starts,
            int start,
            int step,
            int e,
            int tokens,
            float[] s,
            int d) {
        int t = 0;
        for (; tokens - t > SMALL; t += 8) {
            PackedTiles.multiply8(
                    panel,
                    p,
                    columns,
                    x.values,
                    xAt + t * VectorPanel.BLOCK,
                    starts,
                    start + t * step,
                    step,
                    x.scales,
                    e + t,
                    s,
                    d,
                    s,
                    RESULTS + t * PAIR);
        }
        for (; t < tokens; t += 4) {
            PackedTiles.multiply4(
                    panel,
                    p,
                    columns,
                    x.values,
                    xAt + t * VectorPanel.BLOCK,
                    starts,
                    start + t * step,
                    step,
                    x.scales,
                    e + t,
                    s,
                    d,
                    s,
                    RESULTS + t * PAIR);
        }
    }

    private static void minima(float[] panel, int p, VectorPanel x, int xAt, int e, int tokens, float[] s, int d) {
        int m = d + MINIMA - SCALES;
        int t = 0;
        for (; tokens - t > SMALL; t += 8) {
            PackedTiles.minima8(
                    panel,
                    p,
                    VectorPanel.BLOCK,
                    x.values,
                    xAt + t * VectorPanel.BLOCK,
                    x.starts,
                    x.scales,
                    e + t,
                    s,
                    d,
                    m,
                    s,
                    RESULTS + t * PAIR);
        }
        for (; t < tokens; t += 4) {
            PackedTiles.minima4(
                    panel,
                    p,
                    VectorPanel.BLOCK,
                    x.values,
                    xAt + t * VectorPanel.BLOCK,
                    x.starts,
                    x.scales,
                    e + t,
                    s,
                    d,
                    m,
                    s,
                    RESULTS + t * PAIR);
        }
    }

    /// {@link #tile} for float weights. Up to 128 columns are unpacked at a time, sorted as the activations are; the
    /// four sums of each product stay in memory.
    private static void floatTile(
            PackedType type,
            MemorySegment w,
            long at,
            long next,
            VectorPanel x,
            int first,
            int tokens,
            float[] panel,
            float[] s) {
        int units = type.units(x.cols);
        Arrays.fill(s, 0, 4 * TILE_RESULTS, 0);
        for (int b = 0; b < x.blocks; b++) {
            int n = Math.min(FOURTH, units - b * FOURTH);
            long unit = at + (long) b * FOURTH * type.unitBytes();
            if (type == PackedType.F16) {
                PackedTiles.f16(w, unit, n, panel, 0);
                PackedTiles.f16(w, unit + next, n, panel, ROWS);
            } else {
                PackedTiles.bf16(w, unit, n, panel, 0);
                PackedTiles.bf16(w, unit + next, n, panel, ROWS);
            }
            for (int i = 0; i < 4; i++) {
                int xAt = (first * x.blocks + b * tokens) * VectorPanel.FLOAT_BLOCK + i * FOURTH;
                int p = i * BLOCK_PANEL;
                int c = i * TILE_RESULTS;
                int t = 0;
                for (; tokens - t > SMALL; t += 8) {
                    PackedTiles.add8(panel, p, n, x.values, xAt + t * VectorPanel.FLOAT_BLOCK, s, c + t * PAIR);
                }
                for (; t < tokens; t += 4) {
                    PackedTiles.add4(panel, p, n, x.values, xAt + t * VectorPanel.FLOAT_BLOCK, s, c + t * PAIR);
                }
            }
        }
        PackedTiles.addFour(s, TILE_RESULTS, tokens, s, RESULTS);
    }

    /// Unpacks block `b` of a group to `panel[p ...]`, and its scales to the place of block `i` of the chunk, for the
    /// first or second sixteen rows as `p` says.
    private static void unpack(
            PackedType type, MemorySegment w, long at, int b, float[] panel, int p, float[] s, int i) {
        long unit = at + (long) (b * VectorPanel.BLOCK / type.unitCols()) * type.unitBytes();
        int in = b % (type.unitCols() / VectorPanel.BLOCK);
        int d = SCALES + i * PAIR + p % PAIR;
        switch (type) {
            case Q4_0 -> {
                PackedTiles.nibbles(w, unit + 64 + in * 256, panel, p);
                PackedTiles.halves(w, unit + in * 32, s, d);
            }
            case IQ4_NL -> {
                PackedTiles.steps(w, unit + 64 + in * 256, panel, p);
                PackedTiles.halves(w, unit + in * 32, s, d);
            }
            case Q5_0 -> {
                PackedTiles.fiveBits(w, unit + 64 + in * 320, panel, p);
                PackedTiles.halves(w, unit + in * 32, s, d);
            }
            case Q8_0 -> {
                PackedTiles.bytes(w, unit + 64 + in * 512, panel, p);
                PackedTiles.halves(w, unit + in * 32, s, d);
            }
            case MXFP4 -> {
                PackedTiles.doubled(w, unit + 32 + in * 256, panel, p);
                PackedTiles.powers(w, unit + in * 16, s, d);
            }
            case Q4_K, Q5_K -> {
                if (type == PackedType.Q4_K) {
                    PackedTiles.nibbles(w, unit + 320 + in * 256, panel, p);
                } else {
                    PackedTiles.fiveBits(w, unit + 320 + in * 320, panel, p);
                }
                PackedTiles.unsigned(w, unit, unit + 64 + in * 16, 1, 1, s, d);
                PackedTiles.unsigned(w, unit + 32, unit + 192 + in * 16, 1, -1, s, d + MINIMA - SCALES);
            }
            case Q6_K -> {
                PackedTiles.sixBits(w, unit + 320 + in * 384, panel, p);
                // Of both halves.
                PackedTiles.signed(w, unit, unit + 64 + in * 32, 2, s, d + i * PAIR);
            }
            case F16, BF16 -> throw new IllegalArgumentException("float weights have no blocks");
        }
    }
}
