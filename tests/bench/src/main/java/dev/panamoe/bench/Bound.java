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
    static <S> Bound<S> ofSpread(Arithmetic arithmetic) {
        double part = arithmetic == Arithmetic.INT8 ? 0.15 : 2e-4;
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

    /// For `y[o] = sum_c W[slice,o,c] * x[at + c]`: float sums of some thousands of terms in any order, and half a step
    /// of 127 where activations are rounded in blocks of 32.
    static double[] ofProduct(TensorView w, int slice, float[] x, int at, Arithmetic arithmetic) {
        boolean rounded = arithmetic == Arithmetic.INT8 && w.type().blockSize() > 1;
        float[] row = new float[(int) w.shape().cols()];
        double[] perWeight = new double[row.length];
        for (int from = 0; from < row.length; from += 32) {
            int to = Math.min(from + 32, row.length);
            double largest = 0;
            for (int c = from; c < to; c++) {
                perWeight[c] = 2e-6 * Math.abs(x[at + c]);
                largest = Math.max(largest, Math.abs(x[at + c]));
            }
            for (int c = from; c < to; c++) {
                perWeight[c] += rounded ? 0.5001 / 127 * largest : 0;
            }
        }
        double[] bound = new double[(int) w.shape().rows()];
        for (int o = 0; o < bound.length; o++) {
            Samples.decode(w, slice, o, row);
            for (int c = 0; c < row.length; c++) {
                bound[o] += perWeight[c] * Math.abs(row[c]);
            }
        }
        return bound;
    }
}
