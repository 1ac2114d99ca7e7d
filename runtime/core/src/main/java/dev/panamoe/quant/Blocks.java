package dev.panamoe.quant;

import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;

/// What several block layouts share.
final class Blocks {
    private Blocks() {}

    /// Number of blocks that hold `count` values of this type.
    static int count(QuantType type, int count) {
        if (count < 0 || count % type.blockSize() != 0) {
            throw new IllegalArgumentException(
                    count + " values are no whole number of the " + type.blockSize() + "-value blocks of " + type);
        }
        return count / type.blockSize();
    }

    /// Value `i` (0..31) of 32 nibbles in 16 bytes: the low nibbles hold the first half, the high nibbles the second.
    static int nibble(MemorySegment s, long qs, int i) {
        return i < 16 ? LittleEndian.u8(s, qs + i) & 15 : LittleEndian.u8(s, qs + i - 16) >> 4;
    }

    /// Nibble `n` of bytes that hold one pair after the other: the low nibble of byte `n / 2` for an even `n`.
    static int nibbleInOrder(MemorySegment s, long bytes, int n) {
        return LittleEndian.u8(s, bytes + n / 2) >> (n % 2 * 4) & 15;
    }

    /// Value `i` (0..255) of 256 values of 2 bits in 64 bytes: with `i = 128 h + 32 j + l`, bits `2 j` and `2 j + 1` of
    /// byte `32 h + l`.
    static int twoBits(MemorySegment s, long qs, int i) {
        return LittleEndian.u8(s, qs + i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3;
    }

    /// The 6-bit scale of group `k` (0..7) in the 12 scale bytes of Q4_K and Q5_K.
    ///
    /// Bytes 0-3 hold the scales of groups 0-3 in their low 6 bits, bytes 4-7 the minima likewise; bytes 8-11 hold
    /// the low 4 bits of scale (low nibble) and minimum (high nibble) of groups 4-7, whose upper 2 bits are the two
    /// top bits of bytes 0-3 and 4-7.
    static int scale(MemorySegment s, long scales, int k) {
        return k < 4
                ? LittleEndian.u8(s, scales + k) & 63
                : (LittleEndian.u8(s, scales + k + 4) & 15) | ((LittleEndian.u8(s, scales + k - 4) >> 6) << 4);
    }

    /// The 6-bit minimum of group `k` (0..7), packed as [#scale] says.
    static int min(MemorySegment s, long scales, int k) {
        return k < 4
                ? LittleEndian.u8(s, scales + k + 4) & 63
                : (LittleEndian.u8(s, scales + k + 4) >> 4) | ((LittleEndian.u8(s, scales + k) >> 6) << 4);
    }
}
