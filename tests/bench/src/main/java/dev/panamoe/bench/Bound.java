package dev.panamoe.bench;

import dev.panamoe.spi.Arithmetic;
import dev.panamoe.tensor.TensorView;
import java.util.Arrays;

/// How far results may be from the reference's; the figures are those of the conformance suite.
///
/// @param <S> inputs of the operation
@FunctionalInterface
interface Bound<S> {
    /// For every value of a token's row.
    ///
    /// @param inputs of the token, on the reference
    /// @param expected the reference's result
    double[] of(S inputs, int output, float[] expected);

    /// Relative to the result, with an absolute part for results near zero.
    static <S> Bound<S> of(double relative, double absolute) {
        return (inputs, output, expected) -> {
            double[] bound = new double[expected.length];
            Arrays.setAll(bound, i -> relative * Math.abs((double) expected[i]) + absolute);
            return bound;
        };
    }

    /// For products of products, where errors of a value depend on everything before: of the root mean square of all.
    /// With activations of 8 bits some hidden values round the other way, which changes a result by less than a step of
    /// 127 of its size.
    static <S> Bound<S> ofSpread(Arithmetic arithmetic) {
        double part = arithmetic == Arithmetic.INT8 ? 1 / 127.0 : 2e-4;
        return (inputs, output, expected) -> {
            double squares = 0;
            for (float e : expected) {
                squares += (double) e * e;
            }
            double[] bound = new double[expected.length];
            Arrays.fill(bound, part * Math.sqrt(squares / expected.length));
            return bound;
        };
    }

    /// For `y[o] = sum_c W[slice,o,c] * x[at + c]`: float sums of some thousands of terms in any order.
    static double[] ofProduct(TensorView w, int slice, float[] x, int at) {
        float[] row = new float[(int) w.shape().cols()];
        double[] bound = new double[(int) w.shape().rows()];
        for (int o = 0; o < bound.length; o++) {
            Samples.decode(w, slice, o, row);
            for (int c = 0; c < row.length; c++) {
                bound[o] += 2e-6 * Math.abs((double) x[at + c] * row[c]);
            }
        }
        return bound;
    }
}
