package dev.panamoe.spi;

/// Activations: a matrix of F32 inside a buffer. Row `r`, column `c` is value `offset + r * stride + c`.
///
/// @param offset first value, in values
/// @param rows one row a token, or one a token and head
/// @param cols width of a row
/// @param stride values from one row to the next, at least `cols`
public record Rows(Buffer buffer, int offset, int rows, int cols, int stride) {
    public Rows {
        if (offset < 0 || rows < 1 || cols < 1 || stride < cols) {
            throw new IllegalArgumentException(
                    "rows " + rows + " x " + cols + ", stride " + stride + " at " + offset + " are no matrix");
        }
        if (offset + (rows - 1L) * stride + cols > buffer.size()) {
            throw new IllegalArgumentException(
                    "rows " + rows + " x " + cols + " at " + offset + " exceed a buffer of " + buffer.size());
        }
    }

    /// The first `rows` rows of a buffer that holds rows of `cols` values and nothing else.
    public static Rows of(Buffer buffer, int rows, int cols) {
        return new Rows(buffer, 0, rows, cols, cols);
    }

    /// Columns `from` to `from + count - 1` of every row.
    public Rows columns(int from, int count) {
        if (from < 0 || from + count > cols) {
            throw new IllegalArgumentException("columns " + from + " to " + (from + count) + " of " + cols);
        }
        return new Rows(buffer, offset + from, rows, count, stride);
    }

    /// Row `from` to `from + count - 1`.
    public Rows rows(int from, int count) {
        if (from == 0 && count == rows) {
            return this;
        }
        if (from < 0 || from + count > rows) {
            throw new IllegalArgumentException("rows " + from + " to " + (from + count) + " of " + rows);
        }
        return new Rows(buffer, offset + from * stride, count, cols, stride);
    }

    /// Each row cut into `heads` rows of equal width: (tokens, heads * size) as (tokens * heads, size).
    public Rows split(int heads) {
        if (stride != cols || cols % heads != 0) {
            throw new IllegalArgumentException(cols + " columns, stride " + stride + " do not split into " + heads);
        }
        return new Rows(buffer, offset, rows * heads, cols / heads, cols / heads);
    }
}
