package dev.panamoe.opencl;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.quant.Quants;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Weights that lie in several pieces, because the device limits allocations, give the bits of those in one; so do
/// products and attention whose work-items compute one value each, as on GPUs, where this device is a CPU, and products
/// in every layout that tuning may choose. With float activations and with those of 8 bits.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SameBitsTest {
    private static final int COLS = 64;

    /// A panel of Q4_0 with 64 columns is 1 KiB of words: pieces of three panels end inside tiles of two.
    private static final long PIECE = 3 * 1024;

    /// The same device several times: with weights in one piece, in several, as if it were no CPU, and with other
    /// layouts of products.
    private record Devices(Device whole, Device cut, Device notCpu, List<OpenClDevice> tuned) {
        static Devices of(Activations activations) {
            ClDevice device = OpenClHere.device();
            ClDevice other = device.as(device.id(), ClDevice.Kind.OTHER);
            // Nothing that was measured on this machine.
            DeviceOptions options =
                    DeviceOptions.DEFAULT.withActivations(activations).withTuning(DeviceOptions.Tuning.OFF);
            List<OpenClDevice> tuned = new ArrayList<>();
            for (MatvecConfig config : configs(device, other, activations == Activations.Q8)) {
                OpenClDevice d = new OpenClDevice(device.info(), device, options, PIECE);
                d.tuning().use(QuantType.Q4_0, config);
                tuned.add(d);
            }
            return new Devices(
                    new OpenClDevice(device.info(), device, options),
                    new OpenClDevice(device.info(), device, options, PIECE),
                    new OpenClDevice(device.info(), other, options),
                    tuned);
        }

        /// Every constant has each of its values in one of a few; the profile `slow` has all that tuning tries, which
        /// take minutes to compile.
        private static List<MatvecConfig> configs(ClDevice device, ClDevice other, boolean integers) {
            if (!Boolean.getBoolean("panamoe.slow")) {
                Stream<String> few = integers
                        ? Stream.of("width 1 panels 2 runs 2 unroll 8 several 8 few 16")
                        : Stream.of(
                                "width 4 panels 4 runs 4 unroll 2 several 8 few 16",
                                "width 2 panels 2 runs 2 unroll 8 several 2 few 4",
                                "width 8 panels 1 runs 8 unroll 1 several 4 few 32");
                return few.map(text -> MatvecConfig.parse(text).orElseThrow()).toList();
            }
            // Products of integers have the same candidates on all devices.
            Stream<ClDevice> kinds =
                    integers ? Stream.of(other) : Stream.of(device.as(device.id(), ClDevice.Kind.CPU), other);
            return kinds.flatMap(d -> MatvecConfig.candidates(d, integers).stream())
                    .map(c -> c.withSeveral(8))
                    .toList();
        }

        void close() {
            whole.close();
            cut.close();
            notCpu.close();
            tuned.forEach(OpenClDevice::close);
        }
    }

    private @Nullable Devices floats;
    private @Nullable Devices bytes;

    @BeforeAll
    void open() {
        floats = Devices.of(Activations.F32);
        bytes = Devices.of(Activations.Q8);
    }

    @AfterAll
    void close() {
        if (floats != null) {
            floats.close();
        }
        if (bytes != null) {
            bytes.close();
        }
    }

    private static TensorView weights(Shape shape, long seed) {
        return weights(QuantType.Q4_0, shape, seed);
    }

    /// Random blocks, of those that decode to moderate values.
    private static TensorView weights(QuantType type, Shape shape, long seed) {
        MemorySegment data = Arena.ofAuto().allocate(TensorView.byteSize(type, shape));
        Random random = new Random(seed);
        byte[] block = new byte[type.blockBytes()];
        float[] values = new float[type.blockSize()];
        for (long at = 0; at < data.byteSize(); at += block.length) {
            double largest;
            do {
                random.nextBytes(block);
                data.asSlice(at, block.length).copyFrom(MemorySegment.ofArray(block));
                Quants.get(type).decode(data, at, values, 0, values.length);
                largest = IntStream.range(0, values.length)
                        .mapToDouble(i -> Math.abs(values[i]))
                        .max()
                        .orElseThrow();
            } while (!(largest > 0.001 && largest < 2));
        }
        return new TensorView("test", type, shape, data);
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

    /// Of products with weights of Q4_0, before which activations are rounded, in every layout as well.
    private void sameProducts(Function<Device, Rows> work) {
        float[] exact = sameInAllLayouts(requireNonNull(floats), work);
        float[] rounded = sameInAllLayouts(requireNonNull(bytes), work);
        assertThat(rounded).isNotEqualTo(exact);
        assertThat(requireNonNull(bytes).whole().arithmetic()).isEqualTo(Arithmetic.INT8);
    }

    private static float[] sameInAllLayouts(Devices devices, Function<Device, Rows> work) {
        float[] expected = same(devices, work);
        for (OpenClDevice d : devices.tuned()) {
            assertThat(result(d, work))
                    .as("%s", d.tuning().config(QuantType.Q4_0))
                    .isEqualTo(expected);
        }
        return expected;
    }

    private static float[] same(Devices devices, Function<Device, Rows> work) {
        float[] expected = result(devices.whole(), work);
        assertThat(result(devices.cut(), work)).isEqualTo(expected);
        assertThat(result(devices.notCpu(), work)).isEqualTo(expected);
        return expected;
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
        assertThat(((OpenClWeight.Matrix) requireNonNull(floats).whole().upload(w, WeightUse.MATMUL)).pieces())
                .hasSize(1);
        assertThat(((OpenClWeight.Matrix) requireNonNull(floats).cut().upload(w, WeightUse.MATMUL)).pieces())
                .hasSize(3);
    }

    @Test
    void productsOfOneSeveralAndManyRows() {
        TensorView w = weights(Shape.of(COLS, 200), 1);
        for (int tokens : new int[] {1, 5, 12, 70}) {
            sameProducts(d -> {
                Rows y = rows(d, tokens, 200, 3);
                d.ops().matmul(y, d.upload(w, WeightUse.MATMUL), rows(d, tokens, COLS, 2));
                return y;
            });
        }
    }

    /// One type that has all a type can have, smaller scales and offsets; with the profile `slow` all.
    @Test
    void productsOfOtherTypes() {
        for (QuantType type :
                Boolean.getBoolean("panamoe.slow") ? QuantType.values() : new QuantType[] {QuantType.Q2_K}) {
            if (PackedFormat.of(type).isPresent()) {
                TensorView w = weights(type, Shape.of(512, 40), 1);
                Function<Device, Rows> product = d -> {
                    Rows y = rows(d, 20, 40, 3);
                    d.ops().matmul(y, d.upload(w, WeightUse.MATMUL), rows(d, 20, 512, 2));
                    return y;
                };
                same(requireNonNull(floats), product);
                same(requireNonNull(bytes), product);
            }
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
        sameProducts(together);
        float[] oneByOne = result(requireNonNull(floats).whole(), d -> {
            Rows all = rows(d, 1, 273, 3);
            int from = 0;
            for (TensorView v : views) {
                int rows = (int) v.shape().rows();
                d.ops().matmul(all.columns(from, rows), d.upload(v, WeightUse.MATMUL), rows(d, 1, COLS, 2));
                from += rows;
            }
            return all;
        });
        assertThat(result(requireNonNull(floats).whole(), together)).isEqualTo(oneByOne);
    }

    @Test
    void productsPerHead() {
        TensorView w = weights(Shape.of(COLS, 40, 5), 1);
        for (int tokens : new int[] {2, 70}) {
            sameProducts(d -> {
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
        sameProducts(d -> {
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
            sameProducts(d -> {
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
    void attentionOfManyTokens() {
        attention(0, 170);
        // A ring, in which what a token sees begins anywhere.
        attention(60, 90);
    }

    /// 20 tokens after 150 others.
    private void attention(int window, int capacity) {
        TensorView sinks = new TensorView(
                "sinks", QuantType.F32, Shape.of(4), MemorySegment.ofArray(new float[] {0.1f, -2, 3, 0}));
        // No product is in it.
        same(requireNonNull(floats), d -> {
            try (KvCache cache = d.allocateCache(new CacheSpec(2, COLS, COLS, false, capacity, CacheType.F16))) {
                for (int from = 0; from < 170; from += 10) {
                    d.ops()
                            .kvAppend(
                                    cache,
                                    rows(d, 10, 2 * COLS, from),
                                    rows(d, 10, 2 * COLS, from + 1),
                                    positions(d, from, 10));
                }
                Rows out = rows(d, 20 * 4, COLS, 3);
                Attention all = new Attention(4, 0.125f, window, d.upload(sinks, WeightUse.VECTOR));
                d.ops().attention(out, rows(d, 20 * 4, COLS, 4), cache, positions(d, 150, 20), all);
                return out;
            }
        });
    }

    private static Ids positions(Device d, int from, int count) {
        Ids ids = Ids.of(d.allocate(Buffer.Kind.I32, count), count, 1);
        d.write(ids, IntStream.range(from, from + count).toArray());
        return ids;
    }

    @Test
    void rowsOfATable() {
        TensorView w = weights(Shape.of(COLS, 200), 1);
        float[] expected = result(requireNonNull(floats).whole(), d -> embed(d, w));
        float[] actual = result(requireNonNull(floats).cut(), d -> embed(d, w));
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
