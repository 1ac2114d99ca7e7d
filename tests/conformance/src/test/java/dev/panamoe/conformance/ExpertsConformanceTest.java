package dev.panamoe.conformance;

import static dev.panamoe.conformance.Lab.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.conformance.Lab.Bound;
import dev.panamoe.quant.Quants;
import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// The feed-forward of experts.
@ParameterizedClass
@MethodSource("dev.panamoe.conformance.Backends#withKernels")
class ExpertsConformanceTest {
    /// Two products in a row, of values about one; sums of a few hundred terms.
    private static final Bound BOUND = Bound.of(2e-5, 2e-4);

    /// With activations of 8 bits, of the root mean square of all results: a hidden value that float32 brings to the
    /// other side of the middle of two steps is off by 1/127 of the largest of its block, and so a result by less than
    /// that of its size.
    private static final double BOUND_OF_8_BITS = 1 / 127.0;

    @Parameter
    Backend backend;

    private Lab lab;

    @BeforeEach
    void open() {
        lab = new Lab(backend);
    }

    @AfterEach
    void close() {
        lab.close();
    }

    /// @param work on the reference gives the scale of the results
    private Bound bound(Function<Device, Matrix> work) {
        // The device knows what it rounds once it has weights.
        var _ = work.apply(lab.device());
        if (lab.device().arithmetic() != Arithmetic.INT8) {
            return BOUND;
        }
        float[] values = work.apply(lab.reference()).values();
        double squares = 0;
        for (float v : values) {
            squares += (double) v * v;
        }
        double bound = BOUND_OF_8_BITS * Math.sqrt(squares / values.length);
        return (r, c, e) -> bound;
    }

    private Matrix check(String what, Function<Device, Matrix> work) {
        return lab.check(what, bound(work), work);
    }

    /// Weights of the three matrices, the first two cut out of one fused tensor as some files have them.
    private record Weights3(
            TensorView gate,
            TensorView up,
            TensorView down,
            @Nullable Biases3 biases,
            Activation activation) {
        Weights3(TensorView gate, TensorView up, TensorView down, Activation activation) {
            this(gate, up, down, null, activation);
        }

        static Weights3 random(QuantType type, int embedding, int width, int experts, Activation activation) {
            TensorView fused = Weights.random(type, Shape.of(embedding, 2L * width, experts), 11);
            TensorView down = Weights.random(
                    type, Shape.of(width, embedding, experts), 12, 2 * (int) type.rowBytes(type.blockSize()));
            return new Weights3(fused.rows(0, width), fused.rows(width, width), down, activation);
        }

        Experts on(Device d) {
            return new Experts(
                    d.upload(gate, WeightUse.EXPERTS),
                    d.upload(up, WeightUse.EXPERTS),
                    d.upload(down, WeightUse.EXPERTS),
                    biases == null ? null : biases.on(d),
                    activation);
        }

        Weights3 withBiases() {
            return new Weights3(gate, up, down, Biases3.random(gate.shape(), down.shape()), activation);
        }

        /// A factor on each expert, another for each matrix.
        Weights3 withFactors() {
            return new Weights3(scaled(gate, 0.5f), scaled(up, 2.25f), scaled(down, -0.75f), biases, activation);
        }

        private static TensorView scaled(TensorView w, float first) {
            return w.withSliceScales(Stream.iterate(first, f -> f * 0.9f)
                    .limit(w.shape().slices())
                    .toList());
        }

        /// Makes NaN of everything in expert `e`.
        void poison(int e) {
            for (TensorView w : List.of(gate, up, down)) {
                w.data().asSlice(w.sliceStart(e), w.sliceBytes()).fill((byte) 0xff);
            }
            if (biases != null) {
                for (TensorView b : List.of(biases.gate(), biases.up(), biases.down())) {
                    b.data().asSlice(e * b.rowBytes(), b.rowBytes()).fill((byte) 0xff);
                }
            }
        }
    }

    /// A row an expert for each matrix.
    private record Biases3(TensorView gate, TensorView up, TensorView down) {
        static Biases3 random(Shape gate, Shape down) {
            int experts = (int) gate.slices();
            return new Biases3(
                    Weights.matrix(Matrix.random(experts, (int) gate.rows(), 21)),
                    Weights.matrix(Matrix.random(experts, (int) gate.rows(), 22)),
                    Weights.matrix(Matrix.random(experts, (int) down.rows(), 23)));
        }

        Experts.Biases on(Device d) {
            return new Experts.Biases(
                    d.upload(gate, WeightUse.EXPERT_BIAS),
                    d.upload(up, WeightUse.EXPERT_BIAS),
                    d.upload(down, WeightUse.EXPERT_BIAS));
        }
    }

    private static Matrix experts(Device d, Weights3 w, Matrix x, int[] ids, Matrix factors) {
        Rows y = Lab.empty(d, x.rows(), x.cols(), 3, 2);
        d.ops()
                .experts(
                        y,
                        w.on(d),
                        Lab.place(d, x, 1, 4),
                        Lab.ids(d, factors.rows(), factors.cols(), ids),
                        Lab.place(d, factors, 2, 1));
        return Lab.read(d, y);
    }

    /// `count` distinct experts for each token.
    private static int[] choose(int tokens, int count, int experts, long seed) {
        Random random = new Random(seed);
        int[] ids = new int[tokens * count];
        for (int t = 0; t < tokens; t++) {
            for (int j = 0; j < count; ) {
                int e = random.nextInt(experts);
                if (Arrays.stream(ids, t * count, t * count + j).noneMatch(i -> i == e)) {
                    ids[t * count + j++] = e;
                }
            }
        }
        return ids;
    }

    private void check(String what, Weights3 w, int tokens, int used, int experts) {
        int embedding = (int) w.gate().shape().cols();
        Matrix x = Matrix.random(tokens, embedding, tokens, 0.5);
        Matrix factors = Matrix.random(tokens, used, 3, 0.3);
        int[] ids = choose(tokens, used, experts, tokens);
        Matrix y = check(what, d -> experts(d, w, x, ids, factors));
        for (int t = 0; t < tokens; t += Math.max(1, tokens / 5)) {
            int[] own = Arrays.copyOfRange(ids, t * used, (t + 1) * used);
            Matrix alone = experts(lab.device(), w, x.rows(t, 1), own, factors.rows(t, 1));
            assertSameBits(what + ", token " + t + " alone", alone, y.rows(t, 1));
        }
    }

    @Test
    void everyType() {
        for (QuantType type : Quants.supported()) {
            if (lab.device().supports(WeightUse.EXPERTS, type)) {
                int size = type.blockSize() == 1 ? 40 : type.blockSize();
                Activation activation = type.blockSize() == 32 ? Activation.SILU : Activation.GELU_TANH;
                check("experts " + type, Weights3.random(type, size, size, 4, activation), 5, 2, 4);
            }
        }
    }

    /// As gpt-oss has them: with biases, and gates and ups held between bounds.
    @Test
    void biases() {
        for (QuantType type : List.of(QuantType.F32, QuantType.MXFP4)) {
            Weights3 w =
                    Weights3.random(type, 64, 96, 5, Activation.SWIGLU_CLAMPED).withBiases();
            for (int tokens : new int[] {1, 5, 41}) {
                check("experts with biases, " + type + ", " + tokens, w, tokens, 3, 5);
            }
        }
        // Rows off the edges of vectors.
        check(
                "experts with biases, odd",
                Weights3.random(QuantType.F32, 41, 37, 3, Activation.SILU).withBiases(),
                6,
                2,
                3);
    }

    @Test
    void factorsOfExperts() {
        Weights3 w = Weights3.random(QuantType.Q4_0, 64, 96, 5, Activation.SILU).withFactors();
        check("experts with factors", w, 7, 3, 5);
        check("experts with factors and biases", w.withBiases(), 2, 3, 5);
    }

    /// What the operation fuses, one by one on the same device: roundings of activations are the same then.
    @Test
    void areTheirProducts() {
        for (QuantType type : List.of(QuantType.Q4_0, QuantType.Q6_K, QuantType.IQ3_S)) {
            if (!lab.device().supports(WeightUse.EXPERTS, type)) {
                continue;
            }
            Weights3 w = Weights3.random(type, 256, 512, 3, Activation.SILU);
            Matrix x = Matrix.random(19, 256, 1, 0.5);
            Matrix factors = Matrix.random(19, 2, 3, 0.3);
            int[] ids = choose(19, 2, 3, 4);
            Device d = lab.device();
            Matrix fused = experts(d, w, x, ids, factors);
            for (int t = 0; t < 19; t++) {
                double[] sum = new double[256];
                for (int j = 0; j < 2; j++) {
                    int e = ids[2 * t + j];
                    Rows in = Lab.place(d, x.rows(t, 1), 0, 0);
                    Rows hidden = Lab.empty(d, 1, 512, 0, 0);
                    Rows out = Lab.empty(d, 1, 256, 0, 0);
                    Rows other = Lab.empty(d, 1, 512, 0, 0);
                    d.ops().matmul(hidden, one(d, w.gate(), e), in);
                    d.ops().matmul(other, one(d, w.up(), e), in);
                    d.ops().glu(hidden, hidden, other, Activation.SILU);
                    d.ops().matmul(out, one(d, w.down(), e), hidden);
                    Matrix y = Lab.read(d, out);
                    for (int c = 0; c < 256; c++) {
                        sum[c] += (double) factors.get(t, j) * y.get(0, c);
                    }
                }
                for (int c = 0; c < 256; c++) {
                    assertThat((double) fused.get(t, c))
                            .as("%s, token %d, value %d", type, t, c)
                            .isCloseTo(sum[c], Offset.offset(1e-5 + 1e-6 * Math.abs(sum[c])));
                }
            }
        }
    }

    private static Weight one(Device d, TensorView experts, int e) {
        TensorView view = new TensorView(
                experts.name(),
                experts.type(),
                Shape.of(experts.shape().cols(), experts.shape().rows()),
                experts.data().asSlice(experts.sliceStart(e), experts.sliceBytes()));
        return d.upload(view, WeightUse.MATMUL);
    }

    /// Few experts and many tokens, so that experts have from one to many of them.
    @Test
    void manyTokens() {
        Weights3 w = Weights3.random(QuantType.Q8_0, 64, 96, 5, Activation.SILU);
        check("experts, many tokens", w, 41, 3, 5);
    }

    /// Tokens enough for the kernels of many and little else: a simulator computes this too.
    @Test
    void someTokens() {
        check("experts, some tokens", Weights3.random(QuantType.Q8_0, 32, 32, 3, Activation.SILU), 10, 2, 3);
    }

    @Test
    void oneExpertOfOne() {
        check("one expert", Weights3.random(QuantType.F32, 24, 7, 1, Activation.GELU_TANH), 3, 1, 1);
    }

    @Test
    void unusedExpertsAreNotRead() {
        Weights3 w = Weights3.random(QuantType.Q4_0, 32, 32, 6, Activation.SILU).withBiases();
        w.poison(0);
        w.poison(3);
        w.poison(5);
        Matrix x = Matrix.random(7, 32, 1, 0.5);
        Matrix factors = Matrix.random(7, 2, 3, 0.3);
        int[] ids = {1, 2, 2, 4, 4, 1, 1, 4, 2, 1, 4, 2, 1, 2};
        check("poisoned", d -> experts(d, w, x, ids, factors));
    }

    /// Experts in tensors of their own lie in whatever order a converter wrote them.
    @Test
    void expertsInReverse() {
        Weights3 w = Weights3.random(QuantType.Q4_0, 64, 32, 5, Activation.SILU);
        Weights3 reversed = new Weights3(reversed(w.gate()), reversed(w.up()), reversed(w.down()), w.activation());
        Matrix x = Matrix.random(7, 64, 1, 0.5);
        Matrix factors = Matrix.random(7, 2, 3, 0.3);
        int[] ids = {1, 2, 0, 4, 4, 1, 3, 0, 2, 1, 4, 2, 1, 3};
        int[] mirrored = Arrays.stream(ids).map(id -> 4 - id).toArray();
        Matrix y = check("reversed", d -> experts(d, reversed, x, mirrored, factors));
        assertSameBits("reversed", y, experts(lab.device(), w, x, ids, factors));
    }

    private static TensorView reversed(TensorView w) {
        int last = (int) w.shape().slices() - 1;
        List<Long> starts = IntStream.rangeClosed(0, last)
                .mapToObj(e -> w.sliceStart(last - e))
                .toList();
        return new TensorView(w.name(), w.type(), w.shape(), w.data(), starts);
    }

    /// Identity matrices: the result is `sum_j w_j * silu(x) * x`, whatever the experts.
    @Test
    void byHand() {
        float[] identity = new float[3 * 16 * 16];
        for (int e = 0; e < 3; e++) {
            for (int i = 0; i < 16; i++) {
                identity[e * 256 + i * 17] = 1;
            }
        }
        TensorView w = new TensorView(
                "identity",
                QuantType.F32,
                Shape.of(16, 16, 3),
                Weights.vector(identity).data());
        Weights3 all = new Weights3(w, w, w, Activation.SILU);
        Matrix x = new Matrix(1, 16);
        x.values()[4] = 2;
        Matrix factors = new Matrix(1, 2, new float[] {0.75f, 0.25f});
        Matrix y = experts(lab.device(), all, x, new int[] {2, 0}, factors);
        for (int i = 0; i < 16; i++) {
            double expected = i == 4 ? 2 * (2 / (1 + Math.exp(-2))) : 0;
            org.assertj.core.api.Assertions.assertThat((double) y.get(0, i))
                    .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-6));
        }
    }
}
