package dev.panamoe.cpu;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;

/// From the blocks of a model file to the packed layout of `docs/packed-weights.md`. Values are moved, never changed.
///
/// A row of the file goes into every sixteenth place of its group, four columns (a word) at a time.
final class Packer {
    /// One bit of, two bits of, the low and the high nibble of each byte of a word.
    private static final int BIT = 0x01010101;

    private static final int TWO_BITS = 0x03030303;
    private static final int LOW = 0x0f0f0f0f;
    private static final int HIGH = 0xf0f0f0f0;

    private Packer() {}

    /// Packs groups `from` to `to - 1` of slice `slice`.
    ///
    /// @param target zeroed memory of the whole weight; what lies beyond rows and columns stays zero
    static void pack(TensorView view, PackedType type, int slice, int from, int to, MemorySegment target) {
        int rows = Math.toIntExact(view.shape().rows());
        int cols = Math.toIntExact(view.shape().cols());
        long start = slice * type.sliceBytes(rows, cols);
        for (int row = from * PackedType.ROWS; row < Math.min(to * PackedType.ROWS, rows); row++) {
            long group = start + row / PackedType.ROWS * type.groupBytes(cols);
            long source = view.sliceStart(slice) + row * view.rowBytes();
            row(type, view.data(), source, cols, target, group, row % PackedType.ROWS);
        }
    }

    private static void row(PackedType type, MemorySegment s, long from, int cols, MemorySegment t, long group, int r) {
        int blockBytes = type.stored().blockBytes();
        int blockSize = type.stored().blockSize();
        switch (type) {
            case F16, BF16 -> {
                for (int k = 0; k < cols; k++) {
                    t.set(LittleEndian.I16, group + k * 32L + 2 * r, s.get(LittleEndian.I16, from + 2L * k));
                }
            }
            case Q4_K, Q5_K, Q6_K -> {
                for (int b = 0; b < cols / blockSize; b++) {
                    long block = from + (long) b * blockBytes;
                    long unit = group + (long) b * type.unitBytes();
                    switch (type) {
                        case Q4_K -> fourOrFiveBits(s, block, t, unit, r, false);
                        case Q5_K -> fourOrFiveBits(s, block, t, unit, r, true);
                        default -> sixBits(s, block, t, unit, r);
                    }
                }
            }
            case Q4_0, IQ4_NL, Q5_0, Q8_0, MXFP4 -> {
                for (int b = 0; b < cols / blockSize; b++) {
                    block(type, s, from + (long) b * blockBytes, t, group + b / 2 * (long) type.unitBytes(), b % 2, r);
                }
            }
        }
    }

    /// A block of 32 columns; `half` is its place in the unit.
    private static void block(PackedType type, MemorySegment s, long o, MemorySegment t, long unit, int half, int r) {
        if (type != PackedType.MXFP4) {
            t.set(LittleEndian.I16, unit + 32 * half + 2 * r, s.get(LittleEndian.I16, o));
        }
        switch (type) {
            case Q4_0, IQ4_NL -> splitNibbles(s, o + 2, t, unit + 64 + 256 * half + 4 * r);
            case MXFP4 -> {
                t.set(LittleEndian.I8, unit + 16 * half + r, s.get(LittleEndian.I8, o));
                splitNibbles(s, o + 1, t, unit + 32 + 256 * half + 4 * r);
            }
            case Q5_0 -> {
                long plane = unit + 64 + 320 * half + 4 * r;
                splitNibbles(s, o + 6, t, plane);
                // Bit k is of column k; byte i wants those of columns i, 4 + i, 8 + i …
                int bits = s.get(LittleEndian.I32, o + 2);
                int fifth = 0;
                for (int i = 0; i < 4; i++) {
                    fifth |= Integer.compress(bits, 0x11111111 << i) << (8 * i);
                }
                t.set(LittleEndian.I32, plane + 256, fifth);
            }
            case Q8_0 -> {
                for (int j = 0; j < 8; j++) {
                    int word = s.get(LittleEndian.I32, o + 2 + 4 * j);
                    t.set(LittleEndian.I32, unit + 64 + 512 * half + 64 * j + 4 * r, word ^ 0x80808080);
                }
            }
            default -> throw new IllegalArgumentException(type.name());
        }
    }

    /// Sixteen bytes whose low nibbles are columns 0 to 15 and whose high nibbles are columns 16 to 31.
    private static void splitNibbles(MemorySegment s, long o, MemorySegment t, long plane) {
        int w0 = s.get(LittleEndian.I32, o);
        int w1 = s.get(LittleEndian.I32, o + 4);
        int w2 = s.get(LittleEndian.I32, o + 8);
        int w3 = s.get(LittleEndian.I32, o + 12);
        t.set(LittleEndian.I32, plane, lows(w0, w1));
        t.set(LittleEndian.I32, plane + 64, lows(w2, w3));
        t.set(LittleEndian.I32, plane + 128, highs(w0, w1));
        t.set(LittleEndian.I32, plane + 192, highs(w2, w3));
    }

    /// 32 bytes of which one nibble each, the low or the high one, is columns 0 to 31.
    private static void nibbles(MemorySegment s, long o, boolean high, MemorySegment t, long plane) {
        for (int j = 0; j < 4; j++) {
            int w0 = s.get(LittleEndian.I32, o + 8 * j);
            int w1 = s.get(LittleEndian.I32, o + 8 * j + 4);
            t.set(LittleEndian.I32, plane + 64 * j, high ? highs(w0, w1) : lows(w0, w1));
        }
    }

    private static int lows(int first, int second) {
        return (first & LOW) | ((second & LOW) << 4);
    }

    private static int highs(int first, int second) {
        return ((first >>> 4) & LOW) | (second & HIGH);
    }

    /// Q4_K and Q5_K.
    private static void fourOrFiveBits(MemorySegment s, long o, MemorySegment t, long unit, int r, boolean five) {
        t.set(LittleEndian.I16, unit + 2 * r, s.get(LittleEndian.I16, o));
        t.set(LittleEndian.I16, unit + 32 + 2 * r, s.get(LittleEndian.I16, o + 2));
        long low = o + (five ? 48 : 16);
        int planeBytes = five ? 320 : 256;
        for (int b = 0; b < 8; b++) {
            t.set(LittleEndian.I8, unit + 64 + 16 * b + r, (byte) scale(s, o + 4, b));
            t.set(LittleEndian.I8, unit + 192 + 16 * b + r, (byte) min(s, o + 4, b));
            long plane = unit + 320 + planeBytes * b + 4 * r;
            nibbles(s, low + 32 * (b / 2), b % 2 == 1, t, plane);
            if (five) {
                int fifth = 0;
                for (int j = 0; j < 8; j++) {
                    fifth |= (s.get(LittleEndian.I32, o + 16 + 4 * j) >>> b & BIT) << j;
                }
                t.set(LittleEndian.I32, plane + 256, fifth);
            }
        }
    }

    /// The 6-bit scale of group `k` of a K block; `o` is where its twelve bytes begin. The first four groups have
    /// theirs in the low six bits of a byte; of the others the upper two bits lie where those have room.
    private static int scale(MemorySegment s, long o, int k) {
        return k < 4
                ? LittleEndian.u8(s, o + k) & 63
                : (LittleEndian.u8(s, o + k + 4) & 15) | (LittleEndian.u8(s, o + k - 4) >> 6 << 4);
    }

    /// The 6-bit minimum of group `k`.
    private static int min(MemorySegment s, long o, int k) {
        return k < 4
                ? LittleEndian.u8(s, o + k + 4) & 63
                : (LittleEndian.u8(s, o + k + 4) >> 4) | (LittleEndian.u8(s, o + k) >> 6 << 4);
    }

    /// Q6_K.
    private static void sixBits(MemorySegment s, long o, MemorySegment t, long unit, int r) {
        t.set(LittleEndian.I16, unit + 2 * r, s.get(LittleEndian.I16, o + 208));
        for (int i = 0; i < 16; i++) {
            t.set(LittleEndian.I8, unit + 64 + 16 * i + r, s.get(LittleEndian.I8, o + 192 + i));
        }
        for (int b = 0; b < 8; b++) {
            int half = b / 4;
            int quarter = b % 4;
            long plane = unit + 320 + 384 * b + 4 * r;
            nibbles(s, o + 64 * half + 32 * (quarter % 2), quarter >= 2, t, plane);
            for (int p = 0; p < 2; p++) {
                int upper = 0;
                for (int step = 0; step < 4; step++) {
                    int word = s.get(LittleEndian.I32, o + 128 + 32 * half + 16 * p + 4 * step);
                    upper |= (word >>> (2 * quarter) & TWO_BITS) << (2 * step);
                }
                t.set(LittleEndian.I32, plane + 256 + 64 * p, upper);
            }
        }
    }
}
