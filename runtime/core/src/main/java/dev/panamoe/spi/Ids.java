package dev.panamoe.spi;

/// Integers on a device: token ids, positions, expert ids. Row `r`, column `c` is value `offset + r * cols + c`.
public record Ids(Buffer buffer, int offset, int rows, int cols) {
    public Ids {
        if (offset < 0 || rows < 1 || cols < 1 || offset + (long) rows * cols > buffer.size()) {
            throw new IllegalArgumentException(
                    "ids " + rows + " x " + cols + " at " + offset + " exceed a buffer of " + buffer.size());
        }
    }

    public static Ids of(Buffer buffer, int rows, int cols) {
        return new Ids(buffer, 0, rows, cols);
    }

    /// Rows `from` to `from + count - 1`.
    public Ids rows(int from, int count) {
        return new Ids(buffer, offset + from * cols, count, cols);
    }
}
