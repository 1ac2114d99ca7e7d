package dev.panamoe.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Activations of 8 bits by hand.
class RoundingTest {
    private static float[] row(float... x) {
        float[] y = new float[x.length];
        Rounding.row(x, 0, y, 0, x.length);
        return y;
    }

    /// With 127 as the largest of a block, steps are whole numbers. In the middle of two the even one counts.
    @Test
    void toTheNearestOf127Steps() {
        assertThat(row(127, 0.5f, 1.5f, -2.5f, 3.49f, -126.6f)).containsExactly(127, 0, 2, -2, 3, -127);
        assertThat(row(-254, 1, 3, -4.9f)).containsExactly(-254, 0, 4, -4);
    }

    @Test
    void eachBlockByItself() {
        float[] x = new float[70];
        Arrays.fill(x, 0, 32, 1.4f);
        Arrays.fill(x, 32, 70, 1.4f);
        x[31] = 127;
        x[64] = 12.7f;
        float[] y = row(x);
        assertThat(y[0]).isEqualTo(1);
        assertThat(y[32]).isEqualTo(1.4f);
        assertThat(y[63]).isEqualTo(1.4f);
        assertThat(y[65]).isEqualTo(14 * (12.7f / 127));
    }

    @Test
    void zerosAndTheLeastNumbers() {
        assertThat(row(0, 0, -0f)).containsOnly(0);
        assertThat(row(Float.MIN_VALUE, 0, -Float.MIN_VALUE)).doesNotContain(Float.NaN);
        assertThat(row(Float.NaN, 1)).containsOnly(Float.NaN);
    }

    @Test
    void whereItIsSaid() {
        float[] x = {9, 127, 1.2f, 9};
        Rounding.row(x, 1, x, 1, 2);
        assertThat(x).containsExactly(9, 127, 1, 9);
    }

    @Test
    void forProductsOfSomeTypes() {
        assertThat(Rounding.isFor(weight(QuantType.Q4_0), WeightUse.MATMUL)).isTrue();
        assertThat(Rounding.isFor(weight(QuantType.Q4_0), WeightUse.EXPERTS)).isTrue();
        assertThat(Rounding.isFor(weight(QuantType.Q4_0), WeightUse.EMBED)).isFalse();
        assertThat(Rounding.isFor(weight(QuantType.F16), WeightUse.MATMUL)).isFalse();
        assertThat(Rounding.isFor(weight(QuantType.Q4_1), WeightUse.MATMUL)).isFalse();
        assertThat(Rounding.isFor(weight(QuantType.Q4_0).withSliceScales(List.of(2f)), WeightUse.MATMUL))
                .isFalse();
    }

    private static TensorView weight(QuantType type) {
        byte[] bytes = new byte[(int) type.rowBytes(64)];
        return new TensorView("w", type, Shape.of(64, 1), MemorySegment.ofArray(bytes));
    }
}
