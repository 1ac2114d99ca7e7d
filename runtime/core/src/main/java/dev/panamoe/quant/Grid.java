package dev.panamoe.quant;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.BitSet;

/// A codebook of the IQ types: rows of eight or four values out of a small alphabet. Blocks hold row numbers.
///
/// No formula makes these rows, but they are a fact of the file format. They were measured: blocks with every row
/// number, scale 1 and no signs went through an independent decoder, and its output was read off. `GridTest` compares
/// all rows with the digests in the specification of the format.
///
/// As it turns out, rows stand in rising order when their letters are read as digits, the first value being the least
/// significant one. So a codebook is a set of numbers, and its resource the bits of that set: bit `n` of the file
/// (bit `n % 8` of byte `n / 8`) says whether the row with number `n` is there.
///
/// @param width values of a row
/// @param values all rows one after the other; not to be changed
@SuppressWarnings("ArrayRecordComponent") // compared by identity only
record Grid(int width, byte[] values) {
    // All are loaded with this class, when the first block of an IQ type is decoded: together they are 33 KB.
    static final Grid IQ1 = load("iq1.bin", 2048, 8, -1, 0, 1);
    static final Grid IQ2_XXS = load("iq2_xxs.bin", 256, 8, 8, 25, 43);
    static final Grid IQ2_XS = load("iq2_xs.bin", 512, 8, 8, 25, 43);
    static final Grid IQ2_S = load("iq2_s.bin", 1024, 8, 8, 25, 43);
    static final Grid IQ3_XXS = load("iq3_xxs.bin", 256, 4, 4, 12, 20, 28, 36, 44, 52, 62);
    static final Grid IQ3_S = load("iq3_s.bin", 512, 4, 1, 3, 5, 7, 9, 11, 13, 15);

    /// Writes the values of a row, each times `scale`; those whose bit in `signs` is set are negative.
    void signed(int row, float scale, int signs, float[] dst, int at) {
        for (int j = 0; j < width; j++) {
            // Without a branch: signs are as good as random.
            dst[at + j] = scale * values[row * width + j] * (1 - 2 * (signs >> j & 1));
        }
    }

    /// Writes `scale * (value + shift)` for the values of a row.
    void shifted(int row, float scale, float shift, float[] dst, int at) {
        for (int j = 0; j < width; j++) {
            dst[at + j] = scale * (values[row * width + j] + shift);
        }
    }

    /// The eight signs that seven bits stand for: the eighth makes the number of ones even.
    static int evenSigns(int seven) {
        return seven | (Integer.bitCount(seven) & 1) << 7;
    }

    private static Grid load(String resource, int rows, int width, int... alphabet) {
        BitSet numbers = BitSet.valueOf(read(resource));
        if (numbers.cardinality() != rows || numbers.length() > Math.powExact(alphabet.length, width)) {
            throw new IllegalStateException("the codebook " + resource + " in this program is damaged");
        }
        byte[] values = new byte[rows * width];
        int at = 0;
        for (int n = numbers.nextSetBit(0); n >= 0; n = numbers.nextSetBit(n + 1)) {
            for (int j = 0, rest = n; j < width; j++, rest /= alphabet.length) {
                values[at++] = (byte) alphabet[rest % alphabet.length];
            }
        }
        return new Grid(width, values);
    }

    private static byte[] read(String resource) {
        try (InputStream in = Grid.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the codebook " + resource + " is missing from this program");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
