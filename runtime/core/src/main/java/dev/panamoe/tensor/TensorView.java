package dev.panamoe.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;

/// A named tensor in memory that somebody else owns (usually the mapped model file). Rows of a slice are contiguous:
/// row `r` of slice `e` starts at byte `sliceStart(e) + r * rowBytes()`.
///
/// @param name name in the file, for messages
/// @param type storage type
/// @param shape dimensions, contiguous one first
/// @param data all slices and what lies between them, little-endian, of any alignment
/// @param sliceStride bytes from one slice to the next; {@link #sliceBytes()} when slices touch, more when this is a
///     cut out of each slice of a larger tensor; 0 when they lie unevenly
/// @param sliceStarts the first byte of each slice where they lie unevenly; empty = slice `e` at `e * sliceStride`
/// @param sliceScales factors on what the blocks decode to, one a slice (NVFP4's second level); empty = all 1
public record TensorView(
        String name,
        QuantType type,
        Shape shape,
        MemorySegment data,
        long sliceStride,
        List<Long> sliceStarts,
        List<Float> sliceScales) {
    public TensorView {
        sliceStarts = List.copyOf(sliceStarts);
        sliceScales = List.copyOf(sliceScales);
        if (!sliceScales.isEmpty() && sliceScales.size() != shape.slices()) {
            throw new IllegalArgumentException(
                    name + ": " + sliceScales.size() + " scales for " + shape.slices() + " slices");
        }
        long slice = Math.multiplyExact(type.rowBytes(shape.cols()), shape.rows());
        if (sliceStarts.isEmpty()) {
            long want = Math.addExact(Math.multiplyExact(shape.slices() - 1, sliceStride), slice);
            if (sliceStride < slice || data.byteSize() != want) {
                throw new IllegalArgumentException(name + ": " + type + " " + shape + " with slices " + sliceStride
                        + " bytes apart takes " + want + " bytes, got " + data.byteSize());
            }
        } else {
            long last = data.byteSize() - slice;
            boolean inside = sliceStarts.stream().allMatch(s -> s >= 0 && s <= last);
            if (sliceStride != 0 || sliceStarts.size() != shape.slices() || !inside) {
                throw new IllegalArgumentException(name + ": " + type + " " + shape + " cannot have slices at "
                        + sliceStarts + " of " + data.byteSize() + " bytes");
            }
        }
    }

    /// Without factors.
    public TensorView(String name, QuantType type, Shape shape, MemorySegment data, long sliceStride) {
        this(name, type, shape, data, sliceStride, List.of(), List.of());
    }

    /// Slices that lie anywhere in `data`, without factors.
    public TensorView(String name, QuantType type, Shape shape, MemorySegment data, List<Long> sliceStarts) {
        this(name, type, shape, data, 0, sliceStarts, List.of());
    }

    /// A tensor whose slices touch: the form in a file.
    public TensorView(String name, QuantType type, Shape shape, MemorySegment data) {
        this(name, type, shape, data, Math.multiplyExact(type.rowBytes(shape.cols()), shape.rows()));
    }

    /// The same with a factor on each slice.
    public TensorView withSliceScales(List<Float> scales) {
        return new TensorView(name, type, shape, data, sliceStride, sliceStarts, scales);
    }

    /// Bytes that a tensor of this type and shape takes in a file.
    ///
    /// @throws IllegalArgumentException when the rows are not whole blocks
    /// @throws ArithmeticException when the size does not fit 64 bits
    public static long byteSize(QuantType type, Shape shape) {
        return Math.multiplyExact(type.rowBytes(shape.cols()), Math.multiplyExact(shape.rows(), shape.slices()));
    }

    public long rowBytes() {
        return type.rowBytes(shape.cols());
    }

    /// @throws IllegalStateException when the slices lie unevenly: {@link #sliceStart} holds for all
    @Override
    public long sliceStride() {
        if (!sliceStarts.isEmpty()) {
            throw new IllegalStateException(name + ": the slices lie unevenly");
        }
        return sliceStride;
    }

    /// The first byte of slice `slice`.
    public long sliceStart(int slice) {
        return sliceStarts.isEmpty() ? slice * sliceStride : sliceStarts.get(slice);
    }

    /// Bytes of one slice.
    public long sliceBytes() {
        return rowBytes() * shape.rows();
    }

    /// Rows `from` to `from + count - 1` of every slice, without copying.
    public TensorView rows(long from, long count) {
        if (from < 0 || count < 1 || from + count > shape.rows()) {
            throw new IllegalArgumentException(
                    name + ": rows " + from + " to " + (from + count) + " are not within " + shape);
        }
        Shape cut = shape.slices() > 1 ? Shape.of(shape.cols(), count, shape.slices()) : Shape.of(shape.cols(), count);
        long bytes = data.byteSize() - (shape.rows() - count) * rowBytes();
        return new TensorView(
                name + "[" + from + ".." + (from + count - 1) + "]",
                type,
                cut,
                data.asSlice(from * rowBytes(), bytes),
                sliceStride,
                sliceStarts,
                sliceScales);
    }

    /// The same bytes under other dimensions of the same row length. The factor of a single slice goes to all.
    ///
    /// @throws IllegalArgumentException when the row length differs, the slices do not touch, or several have factors
    ///     of their own and would become others
    public TensorView reshape(Shape other) {
        boolean sameSlices = other.slices() == shape.slices();
        if (other.cols() != shape.cols()
                || other.size() != shape.size()
                || sliceStride != sliceBytes()
                || (sliceScales.size() > 1 && !sameSlices)) {
            throw new IllegalArgumentException(name + ": " + shape + " cannot be read as " + other);
        }
        TensorView view = new TensorView(name, type, other, data);
        return sliceScales.size() == 1
                ? view.withSliceScales(Collections.nCopies(Math.toIntExact(other.slices()), sliceScales.getFirst()))
                : view.withSliceScales(sliceScales);
    }
}
