package dev.panamoe.reference;

import dev.panamoe.quant.BlockDecoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;

/// A weight left where it is and decoded row by row.
///
/// @param rounded whether it is multiplied with activations of 8 bits
record ReferenceWeight(TensorView view, BlockDecoder decoder, boolean rounded) implements Weight {
    ReferenceWeight(TensorView view, boolean rounded) {
        this(view, Quants.get(view.type()), rounded);
    }

    static ReferenceWeight of(Weight w) {
        return (ReferenceWeight) w;
    }

    @Override
    public String name() {
        return view.name();
    }

    @Override
    public QuantType type() {
        return view.type();
    }

    @Override
    public Shape shape() {
        return view.shape();
    }

    int cols() {
        return Math.toIntExact(view.shape().cols());
    }

    int rows() {
        return Math.toIntExact(view.shape().rows());
    }

    /// Decodes row `row` of slice `slice` into `out`, which has room for a row.
    void row(int slice, long row, float[] out) {
        decoder.decode(view.data(), view.sliceStart(slice) + row * view.rowBytes(), out, 0, cols());
        if (!view.sliceScales().isEmpty()) {
            float scale = view.sliceScales().get(slice);
            for (int c = 0; c < cols(); c++) {
                out[c] *= scale;
            }
        }
    }

    /// What the weight is multiplied with for `x`, (rows, cols): rows of the same shape, perhaps `x` itself.
    Rows operand(Rows x) {
        if (!rounded) {
            return x;
        }
        Rows y = Rows.of(HostBuffer.allocate(Buffer.Kind.F32, (long) x.rows() * x.cols()), x.rows(), x.cols());
        for (int r = 0; r < x.rows(); r++) {
            Rounding.row(
                    HostBuffer.floats(x), x.offset() + r * x.stride(), HostBuffer.floats(y), r * x.cols(), x.cols());
        }
        return y;
    }

    /// A vector, decoded.
    float[] vector() {
        float[] out = new float[cols()];
        row(0, 0, out);
        return out;
    }
}
