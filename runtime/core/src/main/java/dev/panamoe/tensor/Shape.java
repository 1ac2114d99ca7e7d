package dev.panamoe.tensor;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// The dimensions of a tensor in GGUF order: the first is the contiguous one. A PyTorch weight `[out, in]` is
/// `[in, out]` here, so `cols` is the input width of a weight matrix and `rows` its output width.
///
/// @param dims one to four sizes, each at least 1, whose product fits 63 bits
public record Shape(List<Long> dims) {
    public Shape {
        if (dims.isEmpty() || dims.size() > 4) {
            throw new IllegalArgumentException("a tensor has 1 to 4 dimensions, not " + dims.size());
        }
        long product = 1;
        for (long d : dims) {
            if (d < 1) {
                throw new IllegalArgumentException("dimension " + d + " is not positive");
            }
            product = Math.multiplyExact(product, d);
        }
        dims = List.copyOf(dims);
    }

    public static Shape of(long... dims) {
        return new Shape(LongStream.of(dims).boxed().toList());
    }

    /// Length of a row.
    public long cols() {
        return dims.getFirst();
    }

    /// Rows of one slice; 1 for a vector.
    public long rows() {
        return dims.size() > 1 ? dims.get(1) : 1;
    }

    /// Matrices one after the other (experts, heads); 1 for a plain matrix.
    public long slices() {
        long n = 1;
        for (int i = 2; i < dims.size(); i++) {
            n *= dims.get(i);
        }
        return n;
    }

    /// Number of values.
    public long size() {
        return cols() * rows() * slices();
    }

    /// As messages show it: `[2816, 704, 128]`.
    @Override
    public String toString() {
        return dims.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
    }
}
