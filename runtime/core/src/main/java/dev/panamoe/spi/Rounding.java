package dev.panamoe.spi;

import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/// Activations of 8 bits: before which weights they are rounded, and how. Every device of {@link Arithmetic#INT8} does
/// the same, so that the reference can be held against it.
public final class Rounding {
    /// Activations that are rounded together.
    public static final int BLOCK = 32;

    /// Storage types whose products are of integers. F32, F16 and BF16 would gain nothing, and for the others there are
    /// no kernels.
    public static final Set<QuantType> TYPES = Collections.unmodifiableSet(EnumSet.of(
            QuantType.Q4_0,
            QuantType.Q5_0,
            QuantType.Q8_0,
            QuantType.IQ4_NL,
            QuantType.MXFP4,
            QuantType.Q4_K,
            QuantType.Q5_K,
            QuantType.Q6_K));

    private Rounding() {}

    /// Whether activations are rounded before they are multiplied with a weight. Factors of slices are rare enough to
    /// have no kernels of integers.
    public static boolean isFor(TensorView weight, WeightUse use) {
        return use.isProduct() && weight.sliceScales().isEmpty() && TYPES.contains(weight.type());
    }

    /// Rounds `n` values from `x[at]` on, in blocks of 32, the last one of what is left, to `y[to]` on: `d * q` with
    /// `d = max |x| / 127` and `q = rint(x * (127 / max |x|))` in -127..127. All operations are float32; `rint` is to
    /// even. May be in place.
    public static void row(float[] x, int at, float[] y, int to, int n) {
        for (int block = 0; block < n; block += BLOCK) {
            int count = Math.min(BLOCK, n - block);
            float max = 0;
            for (int i = block; i < block + count; i++) {
                max = Math.max(max, Math.abs(x[at + i]));
            }
            float step = max / 127;
            float inverse = max == 0 ? 0 : 127 / max;
            for (int i = block; i < block + count; i++) {
                // Of the least subnormal values the inverse is infinite, and that of zero no number.
                float scaled = x[at + i] == 0 ? 0 : x[at + i] * inverse;
                y[to + i] = step * (float) Math.clamp(Math.rint(scaled), -127, 127);
            }
        }
    }
}
