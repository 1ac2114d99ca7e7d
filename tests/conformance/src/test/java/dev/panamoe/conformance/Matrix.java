package dev.panamoe.conformance;

import java.util.Arrays;
import java.util.Random;

/// Values on the host: (rows, cols), contiguous.
@SuppressWarnings("ArrayRecordComponent") // shared on purpose, never compared
record Matrix(int rows, int cols, float[] values) {
    Matrix(int rows, int cols) {
        this(rows, cols, new float[rows * cols]);
    }

    static Matrix random(int rows, int cols, long seed) {
        return random(rows, cols, seed, 1);
    }

    /// Normally distributed with deviation `size`.
    static Matrix random(int rows, int cols, long seed, double size) {
        Random random = new Random(seed);
        Matrix m = new Matrix(rows, cols);
        for (int i = 0; i < m.values.length; i++) {
            m.values[i] = (float) (random.nextGaussian() * size);
        }
        return m;
    }

    float get(int r, int c) {
        return values[r * cols + c];
    }

    Matrix rows(int from, int count) {
        return new Matrix(count, cols, Arrays.copyOfRange(values, from * cols, (from + count) * cols));
    }
}
