package dev.panamoe.opencl;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Weights that lie in several pieces, because the device limits allocations, give the bits of those in one; so do
/// products whose work-items compute one row each, as on GPUs, where this device is a CPU.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SameBitsTest {
    private static final int COLS = 64;

    /// A panel of Q4_0 with 64 columns is 1 KiB of words: pieces of three panels end inside tiles of two.
    private static final long PIECE = 3 * 1024;

    private @Nullable Device whole;
    private @Nullable Device cut;
    private @Nullable Device notCpu;

    @BeforeAll
    void open() {
        ClDevice device = OpenClHere.device();
        whole = new OpenClDevice(device.info(), device);
        cut = new OpenClDevice(device.info(), device, PIECE);
        notCpu = new OpenClDevice(device.info(), device.as(device.id(), ClDevice.Kind.OTHER));
    }

    @AfterAll
    void close() {
        if (whole != null) {
            whole.close();
        }
        if (cut != null) {
            cut.close();
        }
        if (notCpu != null) {
            notCpu.close();
        }
    }

    private static TensorView weights(Shape shape, long seed) {
        MemorySegment data = Arena.ofAuto().allocate(TensorView.byteSize(QuantType.Q4_0, shape));
        Random random = new Random(seed);
        for (long block = 0; block < data.byteSize(); block += QuantType.Q4_0.blockBytes()) {
            data.set(LittleEndian.I16, block, Float.floatToFloat16(random.nextFloat() * 0.1f));
            for (int i = 2; i < QuantType.Q4_0.blockBytes(); i++) {
                data.set(LittleEndian.I8, block + i, (byte) random.nextInt());
            }
        }
        return new TensorView("test", QuantType.Q4_0, shape, data);
    }

    private static Rows rows(Device d, int rows, int cols, long seed) {
        Rows r = Rows.of(d.allocate(Buffer.Kind.F32, (long) rows * cols), rows, cols);
        float[] values = new float[rows * cols];
        Random random = new Random(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        d.write(r, values);
        return r;
    }

    private static Ids ids(Device d, int rows, int cols, int below) {
        Ids ids = Ids.of(d.allocate(Buffer.Kind.I32, (long) rows * cols), rows, cols);
        d.write(ids, new Random(7).ints((long) rows * cols, 0, below).toArray());
        return ids;
    }

    private void same(Function<Device, Rows> work) {
        float[] expected = result(requireNonNull(whole), work);
        assertThat(result(requireNonNull(cut), work)).isEqualTo(expected);
        assertThat(result(requireNonNull(notCpu), work)).isEqualTo(expected);
    }

    private static float[] result(Device d, Function<Device, Rows> work) {
        Rows y = work.apply(d);
        float[] values = new float[y.rows() * y.cols()];
        d.read(y, values, 0);
        assertThat(values).doesNotContain(0f);
        return values;
    }

    @Test
    void aMatrixIsCutWhereThePieceIsFull() {
        TensorView w = weights(Shape.of(COLS, 200), 1);
        assertThat(((OpenClWeight.Matrix) requireNonNull(whole).upload(w, WeightUse.MATMUL)).pieces())
                .hasSize(1);
        assertThat(((OpenClWeight.Matrix) requireNonNull(cut).upload(w, WeightUse.MATMUL)).pieces())
                .hasSize(3);
    }

    @Test
    void productsOfOneSeveralAndManyRows() {
        TensorView w = weights(Shape.of(COLS, 200), 1);
        for (int tokens : new int[] {1, 5, 70}) {
            same(d -> {
                Rows y = rows(d, tokens, 200, 3);
                d.ops().matmul(y, d.upload(w, WeightUse.MATMUL), rows(d, tokens, COLS, 2));
                return y;
            });
        }
    }

    /// Results are one row, one behind the other: what is together in one launch, or not, are the same bits.
    @Test
    void productsOfSeveralWeights() {
        List<TensorView> views = List.of(
                weights(Shape.of(COLS, 200), 1), weights(Shape.of(COLS, 40), 2), weights(Shape.of(COLS, 33), 3));
        Function<Device, Rows> together = d -> {
            Rows all = rows(d, 1, 273, 3);
            List<Rows> ys = List.of(all.columns(0, 200), all.columns(200, 40), all.columns(240, 33));
            List<Weight> ws =
                    views.stream().map(v -> d.upload(v, WeightUse.MATMUL)).toList();
            d.ops().matmulAll(ys, ws, rows(d, 1, COLS, 2));
            return all;
        };
        same(together);
        float[] oneByOne = result(requireNonNull(whole), d -> {
            Rows all = rows(d, 1, 273, 3);
            int from = 0;
            for (TensorView v : views) {
                int rows = (int) v.shape().rows();
                d.ops().matmul(all.columns(from, rows), d.upload(v, WeightUse.MATMUL), rows(d, 1, COLS, 2));
                from += rows;
            }
            return all;
        });
        assertThat(result(requireNonNull(whole), together)).isEqualTo(oneByOne);
    }

    @Test
    void productsPerHead() {
        TensorView w = weights(Shape.of(COLS, 40, 5), 1);
        for (int tokens : new int[] {2, 70}) {
            same(d -> {
                Rows y = rows(d, tokens * 5, 40, 3);
                d.ops().matmulPerHead(y, d.upload(w, WeightUse.MATMUL_PER_HEAD), rows(d, tokens * 5, COLS, 2));
                return y;
            });
        }
    }

    @Test
    void gatedProducts() {
        TensorView gate = weights(Shape.of(COLS, 200), 1);
        TensorView up = weights(Shape.of(COLS, 200), 2);
        same(d -> {
            Rows y = rows(d, 1, 200, 3);
            Weight g = d.upload(gate, WeightUse.MATMUL);
            Weight u = d.upload(up, WeightUse.MATMUL);
            d.ops().gatedMatmul(y, rows(d, 1, 200, 4), g, u, rows(d, 1, COLS, 5), Activation.SILU);
            return y;
        });
    }

    @Test
    void expertsOfFewAndManyTokens() {
        TensorView gate = weights(Shape.of(COLS, 96, 7), 1);
        TensorView up = weights(Shape.of(COLS, 96, 7), 2);
        TensorView down = weights(Shape.of(96, COLS, 7), 3);
        for (int tokens : new int[] {3, 40}) {
            same(d -> {
                Rows y = rows(d, tokens, COLS, 3);
                Experts experts = new Experts(
                        d.upload(gate, WeightUse.EXPERTS),
                        d.upload(up, WeightUse.EXPERTS),
                        d.upload(down, WeightUse.EXPERTS),
                        Activation.GELU_TANH);
                d.ops().experts(y, experts, rows(d, tokens, COLS, 4), ids(d, tokens, 2, 7), rows(d, tokens, 2, 5));
                return y;
            });
        }
    }

    @Test
    void rowsOfATable() {
        TensorView w = weights(Shape.of(COLS, 200), 1);
        float[] expected = result(requireNonNull(whole), d -> embed(d, w));
        float[] actual = result(requireNonNull(cut), d -> embed(d, w));
        assertThat(actual).isEqualTo(expected);
    }

    private static Rows embed(Device d, TensorView w) {
        Rows y = rows(d, 30, COLS, 3);
        // No value is zero: nibble 8 would be, and so the rows' own values are added.
        d.ops().embed(y, d.upload(w, WeightUse.EMBED), ids(d, 30, 1, 200), 1.5f);
        d.ops().add(y, rows(d, 30, COLS, 9));
        return y;
    }
}
