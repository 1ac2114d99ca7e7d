package dev.panamoe.opencl;

import dev.panamoe.tensor.QuantType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// How the blocks of a quant type lie on a device: the very bits of the file, the 4-byte words and the tails (what is
/// no whole word) of 32 rows interleaved, so that neighbouring work-items read neighbouring words of neighbouring rows.
/// `quant.inc` reads them.
///
/// Word `w` of block `k` of row `r` of slice `s` is word `(((s * panels + r / 32) * blocks + k) * words + w) * 32 + r %
/// 32`; its tail is tail `((s * panels + r / 32) * blocks + k) * 32 + r % 32`.
///
/// @param values of a block; 32 for types without blocks
/// @param blockBytes of a block in a file
/// @param words of 4 bytes of a block
/// @param wordsAt byte of the first word in a block of the file
/// @param tail 0, 1 or 2 bytes
/// @param tailAt byte of the tail in a block of the file
record PackedFormat(QuantType type, int values, int blockBytes, int words, int wordsAt, int tail, int tailAt) {
    /// Rows that are interleaved.
    static final int PANEL = 32;

    private static final Map<QuantType, PackedFormat> FORMATS = new EnumMap<>(QuantType.class);

    static {
        plain(QuantType.F32);
        plain(QuantType.F16);
        plain(QuantType.BF16);
        blocks(QuantType.Q4_0, 2, 2, 0);
        blocks(QuantType.Q4_1, 0, 0, 0);
        blocks(QuantType.Q5_0, 2, 2, 0);
        blocks(QuantType.Q5_1, 0, 0, 0);
        blocks(QuantType.Q8_0, 2, 2, 0);
        blocks(QuantType.IQ4_NL, 2, 2, 0);
        blocks(QuantType.MXFP4, 1, 1, 0);
        blocks(QuantType.Q2_K, 0, 0, 0);
        blocks(QuantType.Q3_K, 0, 2, 108);
        blocks(QuantType.Q4_K, 0, 0, 0);
        blocks(QuantType.Q5_K, 0, 0, 0);
        blocks(QuantType.Q6_K, 0, 2, 208);
        blocks(QuantType.IQ4_XS, 0, 0, 0);
    }

    /// Types without blocks are cut into runs of 32 values.
    private static void plain(QuantType type) {
        FORMATS.put(type, new PackedFormat(type, 32, 32 * type.blockBytes(), 8 * type.blockBytes(), 0, 0, 0));
    }

    private static void blocks(QuantType type, int wordsAt, int tail, int tailAt) {
        int words = (type.blockBytes() - tail) / Integer.BYTES;
        FORMATS.put(type, new PackedFormat(type, type.blockSize(), type.blockBytes(), words, wordsAt, tail, tailAt));
    }

    /// Empty for the types that the kernels cannot read.
    static Optional<PackedFormat> of(QuantType type) {
        return Optional.ofNullable(FORMATS.get(type));
    }

    /// The constants of the kernels that pack or read it, for their compiler.
    String options() {
        return "-D BLOCK=" + values + " -D BLOCK_BYTES=" + blockBytes + " -D WORDS=" + words + " -D WORDS_AT=" + wordsAt
                + " -D TAIL=" + tail + " -D TAIL_AT=" + tailAt;
    }

    /// Blocks of a row; the last of a plain type may reach beyond it.
    int blocks(long cols) {
        return Math.toIntExact(Math.ceilDiv(cols, (long) values));
    }

    static int panels(long rows) {
        return Math.toIntExact(Math.ceilDiv(rows, (long) PANEL));
    }

    /// Bytes of the words of a panel.
    long panelWordBytes(long cols) {
        return (long) blocks(cols) * words * Integer.BYTES * PANEL;
    }

    /// Bytes of the tails of a panel.
    long panelTailBytes(long cols) {
        return (long) blocks(cols) * tail * PANEL;
    }
}
