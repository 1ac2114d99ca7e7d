package dev.panamoe.conformance;

import static dev.panamoe.conformance.Lab.assertSameBits;

import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.conformance.Lab.Bound;
import dev.panamoe.quant.Quants;
import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Operations that read matrices: `embed`, `matmul`, `matmulPerHead`.
@ParameterizedClass
@MethodSource("dev.panamoe.conformance.Backends#withKernels")
class MatmulConformanceTest {
    /// Of the sum of magnitudes of a product's terms: float sums of some hundreds of terms, in any order.
    private static final double MATMUL_BOUND = 2e-6;

    /// One rounding of the scaled value.
    private static final Bound EMBED_BOUND = Bound.of(1e-6, 0);

    /// What most files are made of.
    private static final List<QuantType> COMMON = List.of(
            QuantType.F32,
            QuantType.F16,
            QuantType.Q4_0,
            QuantType.Q8_0,
            QuantType.Q4_K,
            QuantType.Q6_K,
            QuantType.MXFP4);

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

    private List<QuantType> types(WeightUse op) {
        return Quants.supported().stream()
                .filter(t -> lab.device().supports(op, t))
                .filter(t -> !backend.compilesLong() || COMMON.contains(t))
                .toList();
    }

    @Test
    void embedOfEveryType() {
        for (QuantType type : types(WeightUse.EMBED)) {
            int cols = 2 * type.blockSize() + (type.blockSize() == 1 ? 43 : 0);
            TensorView w = Weights.random(type, Shape.of(cols, 11), 1);
            lab.check("embed " + type, EMBED_BOUND, d -> {
                Rows y = Lab.empty(d, 3, cols, 7, 2);
                d.ops().embed(y, d.upload(w, WeightUse.EMBED), Lab.ids(d, 3, 1, 10, 0, 4), 1.7f);
                return Lab.read(d, y);
            });
        }
    }

    /// Row lengths, weight rows and tokens off the edges of vectors, tiles and panels; in each case batch = one by one.
    @Test
    void matmulOfEveryType() {
        for (QuantType type : types(WeightUse.MATMUL)) {
            int block = type.blockSize();
            matmul(type, block == 1 ? 75 : block, 5, 6, 0);
            matmul(type, 3 * block + (block == 1 ? 16 : 0), 37, 4, 3);
            matmul(type, Math.ceilDiv(544, block) * block, 9, 1, 1);
            if (!backend.compilesLong()) {
                // Other kernels, where there are some for many tokens.
                matmul(type, 3 * block + (block == 1 ? 16 : 0), 37, 19, 0);
            }
        }
    }

    @Test
    void matmulOfManyTokensAndRows() {
        matmul(QuantType.Q4_0, 64, 70, 69, 0);
        matmul(QuantType.Q6_K, 512, 37, 19, 0);
        matmul(QuantType.F32, 7, 3, 5, 1);
        matmul(QuantType.F16, 1, 1, 1, 0);
    }

    /// Tokens enough for the kernels of many and little else: a simulator computes this too.
    @Test
    void matmulOfSomeTokens() {
        matmul(QuantType.Q4_0, 32, 5, 10, 0);
        matmul(QuantType.Q4_K, 256, 3, 9, 1);
    }

    private void matmul(QuantType type, int cols, int rows, int tokens, int gap) {
        TensorView w = Weights.random(type, Shape.of(cols, rows), 31L * cols + rows);
        Matrix x = Matrix.random(tokens, cols, tokens);
        Matrix y = lab.check(
                "matmul " + type + " " + rows + " x " + cols + ", " + tokens + " tokens",
                (r, o, e) -> bound(w, 0, o, x, r) + 1e-30,
                d -> matmul(d, w, x, gap));
        for (int r = 0; r < tokens; r++) {
            assertSameBits(
                    "row " + r + " of " + tokens + " alone, " + type,
                    matmul(lab.device(), w, x.rows(r, 1), gap),
                    y.rows(r, 1));
        }
        if (tokens > 2) {
            assertSameBits(
                    "a part of a batch, " + type,
                    matmul(lab.device(), w, x.rows(1, tokens - 2), gap),
                    y.rows(1, tokens - 2));
        }
    }

    private static Matrix matmul(Device d, TensorView w, Matrix x, int gap) {
        Rows y = Lab.empty(d, x.rows(), (int) w.shape().rows(), 1 + gap, gap);
        d.ops().matmul(y, d.upload(w, WeightUse.MATMUL), Lab.place(d, x, gap, 3 * gap));
        return Lab.read(d, y);
    }

    /// q, k and v, of one type or of several, are what they are by themselves.
    @Test
    void severalWeightsAtOnce() {
        severalAtOnce(512, 19, QuantType.Q4_0, QuantType.Q4_0, QuantType.Q4_0);
        severalAtOnce(512, 19, QuantType.Q4_K, QuantType.Q4_K, QuantType.Q6_K);
        severalAtOnce(512, 19, QuantType.Q4_K, QuantType.Q6_K, QuantType.Q4_K);
        severalAtOnce(512, 19, QuantType.Q8_0, QuantType.F32);
        severalAtOnce(512, 19, QuantType.F16, QuantType.Q5_0);
    }

    /// Little enough for a simulator.
    @Test
    void twoWeightsAtOnce() {
        severalAtOnce(64, 1, QuantType.Q4_0, QuantType.Q4_0);
    }

    /// Of one token, and of `most` where those are others.
    private void severalAtOnce(int cols, int most, QuantType... types) {
        List<TensorView> views = IntStream.range(0, types.length)
                .mapToObj(i -> Weights.random(types[i], Shape.of(cols, 37 - 8L * i), i))
                .toList();
        for (int tokens : most == 1 ? new int[] {1} : new int[] {1, most}) {
            Matrix x = Matrix.random(tokens, cols, tokens);
            for (int i = 0; i < types.length; i++) {
                int part = i;
                Matrix together = lab.same("part " + i + " of " + List.of(types), d -> {
                    List<Rows> ys = views.stream()
                            .map(v -> Lab.empty(d, tokens, (int) v.shape().rows(), 3, 2))
                            .toList();
                    List<Weight> ws = views.stream()
                            .map(v -> d.upload(v, WeightUse.MATMUL))
                            .toList();
                    d.ops().matmulAll(ys, ws, Lab.place(d, x, 5, 1));
                    return Lab.read(d, ys.get(part));
                });
                assertSameBits("alone", together, matmul(lab.device(), views.get(i), x, 2));
            }
        }
    }

    /// Gate, up and activation in one are the three by themselves.
    @Test
    void gatedMatmul() {
        for (QuantType type : List.of(QuantType.Q4_0, QuantType.Q6_K, QuantType.F32)) {
            TensorView gate = Weights.random(type, Shape.of(256, 75), 1);
            TensorView up = Weights.random(type, Shape.of(256, 75), 2);
            for (int tokens : new int[] {1, 18}) {
                Matrix x = Matrix.random(tokens, 256, tokens);
                Matrix together = lab.same("gated " + type, d -> {
                    Rows y = Lab.empty(d, tokens, 75, 1, 3);
                    Rows other = Lab.empty(d, tokens, 75, 2, 0);
                    d.ops()
                            .gatedMatmul(
                                    y,
                                    other,
                                    d.upload(gate, WeightUse.MATMUL),
                                    d.upload(up, WeightUse.MATMUL),
                                    Lab.place(d, x, 0, 0),
                                    Activation.GELU_TANH);
                    return Lab.read(d, y);
                });
                Device d = lab.device();
                Rows y = Lab.empty(d, tokens, 75, 0, 0);
                d.ops()
                        .glu(
                                y,
                                Lab.place(d, matmul(d, gate, x, 0), 0, 0),
                                Lab.place(d, matmul(d, up, x, 0), 0, 0),
                                Activation.GELU_TANH);
                assertSameBits("one by one", together, Lab.read(d, y));
            }
        }
    }

    private double bound(TensorView w, int slice, int row, Matrix x, int r) {
        float[] weights = Weights.row(w, slice, row);
        double bound = 0;
        for (int c = 0; c < weights.length; c++) {
            bound += MATMUL_BOUND * Math.abs((double) weights[c]) * Math.abs(x.get(r, c));
        }
        return bound;
    }

    @Test
    void matmulOfLargeAndSmallValues() {
        TensorView w = Weights.random(QuantType.Q8_0, Shape.of(96, 6), 4);
        for (double size : new double[] {1e-30, 1e30}) {
            Matrix x = Matrix.random(5, 96, 9, size);
            lab.check(
                    "matmul, activations of size " + size, (r, o, e) -> bound(w, 0, o, x, r), d -> matmul(d, w, x, 0));
        }
    }

    /// A cut out of each slice of a larger tensor: what lies between the slices is not read.
    @Test
    void matmulPerHeadOfEveryType() {
        int heads = 3;
        for (QuantType type : types(WeightUse.MATMUL_PER_HEAD)) {
            int cols = type.blockSize() == 1 ? 40 : type.blockSize();
            TensorView w = Weights.random(type, Shape.of(cols, 5, heads), 8, 3 * (int) type.rowBytes(type.blockSize()));
            for (int tokens : new int[] {1, 6}) {
                Matrix x = Matrix.random(tokens * heads, cols, tokens);
                Matrix y = lab.check(
                        "matmulPerHead " + type + ", " + tokens + " tokens",
                        (r, o, e) -> bound(w, r % heads, o, x, r),
                        d -> perHead(d, w, x));
                for (int t = 0; t < tokens; t++) {
                    assertSameBits(
                            "token " + t + " alone",
                            perHead(lab.device(), w, x.rows(t * heads, heads)),
                            y.rows(t * heads, heads));
                }
            }
        }
    }

    /// A factor on what the blocks of each slice decode to.
    @Test
    void factorsOfSlices() {
        for (QuantType type : List.of(QuantType.F32, QuantType.Q4_0)) {
            TensorView one = Weights.random(type, Shape.of(96, 37), 5).withSliceScales(List.of(0.37f));
            TensorView three = Weights.random(type, Shape.of(96, 5, 3), 6).withSliceScales(List.of(1e-3f, -2.5f, 1e4f));
            for (int tokens : new int[] {1, 6}) {
                Matrix x = Matrix.random(tokens, 96, tokens);
                Matrix y = lab.check(
                        "matmul with a factor, " + type,
                        (r, o, e) -> bound(one, 0, o, x, r),
                        d -> matmul(d, one, x, 1));
                assertSameBits("alone", matmul(lab.device(), one, x.rows(0, 1), 1), y.rows(0, 1));
                Matrix heads = Matrix.random(3 * tokens, 96, tokens);
                Matrix z = lab.check(
                        "matmulPerHead with factors, " + type,
                        (r, o, e) -> bound(three, r % 3, o, heads, r),
                        d -> perHead(d, three, heads));
                assertSameBits("alone", perHead(lab.device(), three, heads.rows(0, 3)), z.rows(0, 3));
            }
            lab.check("embed with a factor, " + type, EMBED_BOUND, d -> {
                Rows y = Lab.empty(d, 2, 96, 7, 2);
                d.ops().embed(y, d.upload(one, WeightUse.EMBED), Lab.ids(d, 2, 1, 36, 0), 1.7f);
                return Lab.read(d, y);
            });
        }
    }

    private static Matrix perHead(Device d, TensorView w, Matrix x) {
        Weight weight = d.upload(w, WeightUse.MATMUL_PER_HEAD);
        Rows y = Lab.empty(d, x.rows(), (int) w.shape().rows(), 2, 1);
        d.ops().matmulPerHead(y, weight, Lab.place(d, x, 1, 4));
        return Lab.read(d, y);
    }

    @Test
    void weightsOnTheHeapAreTakenToo() {
        TensorView w = Weights.random(QuantType.Q4_0, Shape.of(32, 3), 5);
        byte[] bytes = w.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        TensorView heap = new TensorView(w.name(), w.type(), w.shape(), java.lang.foreign.MemorySegment.ofArray(bytes));
        Matrix x = Matrix.random(2, 32, 6);
        assertSameBits("heap", matmul(lab.device(), heap, x, 0), matmul(lab.device(), w, x, 0));
    }
}
