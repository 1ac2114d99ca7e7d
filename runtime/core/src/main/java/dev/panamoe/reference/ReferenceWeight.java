package dev.panamoe.reference;

import dev.panamoe.quant.BlockDecoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;

/// A weight left where it is and decoded row by row.
record ReferenceWeight(TensorView view, BlockDecoder decoder) implements Weight {
    ReferenceWeight(TensorView view) {
        this(view, Quants.get(view.type()));
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

    /// A vector, decoded.
    float[] vector() {
        float[] out = new float[cols()];
        row(0, 0, out);
        return out;
    }
}
