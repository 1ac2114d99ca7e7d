package dev.panamoe.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.RopeSpec.Pairing;
import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spec.RouterSpec.Gating;
import dev.panamoe.spec.RouterSpec.GroupScore;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer.Kind;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The definitions, against numbers worked out by hand.
class ReferenceOpsTest {
    private final Device device = new ReferenceDevice(new DeviceInfo("reference", "", 0, List.of()), Activations.AUTO);

    private Weight weight(Shape shape, float... values) {
        return device.upload(
                new TensorView("w", QuantType.F32, shape, MemorySegment.ofArray(values)), WeightUse.MATMUL);
    }

    private Rows rows(int rows, int cols, float... values) {
        Rows r = Rows.of(device.allocate(Kind.F32, (long) rows * cols), rows, cols);
        if (values.length > 0) {
            device.write(r, values);
        }
        return r;
    }

    private Ids ids(int rows, int cols, int... values) {
        Ids i = Ids.of(device.allocate(Kind.I32, (long) rows * cols), rows, cols);
        if (values.length > 0) {
            device.write(i, values);
        }
        return i;
    }

    private float[] read(Rows rows) {
        float[] out = new float[rows.rows() * rows.cols()];
        device.read(rows, out, 0);
        return out;
    }

    private int[] read(Ids ids) {
        int[] out = new int[ids.rows() * ids.cols()];
        device.read(ids, out);
        return out;
    }

    @Test
    void matmulTakesRowsOfTheWeight() {
        Rows y = rows(2, 2);
        device.ops().matmul(y, weight(Shape.of(3, 2), 1, 2, 3, 4, 5, 6), rows(2, 3, 1, 0, 0, 1, 1, 1));
        assertThat(read(y)).containsExactly(1, 4, 6, 15);
    }

    /// A row of ones in Q8_0: the product is the sum of what activations are rounded to, where that is asked for.
    @Test
    void activationsAreRoundedWhereThatIsAskedFor() {
        byte[] block = new byte[34];
        block[1] = 0x3c;
        Arrays.fill(block, 2, 34, (byte) 1);
        TensorView ones = new TensorView("w", QuantType.Q8_0, Shape.of(32, 1), MemorySegment.ofArray(block));
        Rows x = rows(1, 32, Arrays.copyOf(new float[] {127, 0.6f, 1.3f}, 32));
        for (Activations activations : Activations.values()) {
            boolean rounds = activations == Activations.Q8;
            try (Device d = new ReferenceDevice(device.info(), activations)) {
                assertThat(d.arithmetic()).isEqualTo(Arithmetic.F32);
                Rows y = rows(1, 1);
                d.ops().matmul(y, d.upload(ones, WeightUse.MATMUL), x);
                assertThat(read(y)).containsExactly(rounds ? 129 : 128.9f);
                assertThat(d.arithmetic()).isEqualTo(rounds ? Arithmetic.INT8 : Arithmetic.F32);
            }
        }
    }

    @Test
    void factorsOfSlicesMultiplyWhatTheyDecodeTo() {
        TensorView view = new TensorView(
                        "w", QuantType.F32, Shape.of(2, 1, 2), MemorySegment.ofArray(new float[] {1, 2, 10, 20}))
                .withSliceScales(List.of(0.5f, 3f));
        Rows y = rows(4, 1);
        Weight w = device.upload(view, WeightUse.MATMUL_PER_HEAD);
        device.ops().matmulPerHead(y, w, rows(4, 2, 1, 1, 1, 1, 0, 1, 0, 1));
        assertThat(read(y)).containsExactly(1.5f, 90, 1, 60);
        Weight table = device.upload(
                new TensorView("t", QuantType.F32, Shape.of(2, 1), MemorySegment.ofArray(new float[] {4, 6}))
                        .withSliceScales(List.of(0.25f)),
                WeightUse.EMBED);
        Rows x = rows(1, 2);
        device.ops().embed(x, table, ids(1, 1, 0), 2f);
        assertThat(read(x)).containsExactly(2, 3);
    }

    @Test
    void matmulPerHeadTakesTheSliceOfTheRow() {
        Rows y = rows(4, 1);
        Weight w = weight(Shape.of(2, 1, 2), 1, 2, 10, 20);
        device.ops().matmulPerHead(y, w, rows(4, 2, 1, 1, 1, 1, 0, 1, 0, 1));
        assertThat(read(y)).containsExactly(3, 30, 2, 20);
    }

    @Test
    void rmsNormDividesByTheRootOfTheMeanSquare() {
        Rows x = rows(1, 2, 3, 4);
        device.ops().rmsNorm(x, x, weight(Shape.of(2), 1, 2), 0f);
        double root = Math.sqrt(12.5);
        assertThat(read(x)).containsExactly((float) (3 / root), (float) (8 / root));
    }

    /// A quarter turn takes (a, b) to (-b, a).
    @Test
    void ropePairsNeighboursOrHalves() {
        Weight quarter = weight(Shape.of(2), (float) (Math.PI / 2), 0f);
        Rows neighbours = rows(1, 4, 1, 2, 3, 4);
        device.ops().rope(neighbours, ids(1, 1, 1), new Rope(Pairing.INTERLEAVED, quarter, 1f));
        assertThat(read(neighbours)).containsExactly(new float[] {-2, 1, 3, 4}, within(1e-6f));
        Rows halves = rows(1, 4, 1, 2, 3, 4);
        device.ops().rope(halves, ids(1, 1, 1), new Rope(Pairing.HALVES, quarter, 2f));
        assertThat(read(halves)).containsExactly(new float[] {-6, 4, 2, 8}, within(1e-6f));
    }

    /// Two tokens, one head of one value: the second token weighs both by their exponentials.
    @Test
    void attentionOfTwoTokens() {
        KvCache cache = device.allocateCache(new CacheSpec(1, 1, 1, false, 2, CacheType.F32));
        Ids positions = ids(2, 1, 0, 1);
        device.ops().kvAppend(cache, rows(2, 1, 0, (float) Math.log(3)), rows(2, 1, 8, 4), positions);
        Rows out = rows(2, 1);
        device.ops().attention(out, rows(2, 1, 1, 1), cache, positions, new Attention(1, 1f, 0));
        // Weights 1/4 and 3/4.
        assertThat(read(out)).containsExactly(new float[] {8, 5}, within(1e-6f));
        device.ops().attention(out, rows(2, 1, 1, 1), cache, positions, new Attention(1, 1f, 1));
        assertThat(read(out)).as("a window of one sees only the token itself").containsExactly(8, 4);
    }

    @Test
    void valuesInKeysAreTheirFirstEntries() {
        KvCache cache = device.allocateCache(new CacheSpec(1, 3, 2, true, 4, CacheType.F16));
        device.ops().kvAppend(cache, rows(1, 3, 5, 6, 7), null, ids(1, 1, 0));
        Rows out = rows(2, 2);
        device.ops().attention(out, rows(2, 3, 1, 2, 3, 4, 5, 6), cache, ids(1, 1, 0), new Attention(2, 1f, 0));
        assertThat(read(out)).containsExactly(5, 6, 5, 6);
    }

    /// Experts whose matrices are multiples of the identity: with SiLU, e(x) = down * silu(gate x) * up x.
    @Test
    void expertsWithIdentityWeights() {
        Shape shape = Shape.of(2, 2, 3);
        Weight gate = weight(shape, 1, 0, 0, 1, 2, 0, 0, 2, Float.NaN, Float.NaN, Float.NaN, Float.NaN);
        Weight up = weight(shape, 1, 0, 0, 1, 1, 0, 0, 1, Float.NaN, Float.NaN, Float.NaN, Float.NaN);
        Weight down = weight(shape, 1, 0, 0, 1, 3, 0, 0, 3, Float.NaN, Float.NaN, Float.NaN, Float.NaN);
        Rows y = rows(1, 2);
        device.ops()
                .experts(
                        y,
                        new Experts(gate, up, down, Activation.SILU),
                        rows(1, 2, 1, -2),
                        ids(1, 2, 1, 0),
                        rows(1, 2, 0.25f, 0.75f));
        float[] want = new float[2];
        double[] x = {1, -2};
        for (int i = 0; i < 2; i++) {
            double first = 3 * silu(2 * x[i]) * x[i];
            double second = silu(x[i]) * x[i];
            want[i] = (float) (0.25 * first + 0.75 * second);
        }
        assertThat(read(y))
                .as("the third expert is poisoned and must not be read")
                .containsExactly(want, within(1e-6f));
    }

    private static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    private static RouterSpec spec(Gating gating, int groups, int groupsUsed, GroupScore score, boolean norm) {
        return new RouterSpec(4, 2, gating, groups, groupsUsed, score, norm, 2f);
    }

    @Test
    void softmaxRouterNormalisesTheChosenAndScalesThem() {
        Ids chosen = ids(1, 2);
        Rows weights = rows(1, 2);
        Rows logits = rows(1, 4, 0, (float) Math.log(3), 0, 0);
        Weight scale = weight(Shape.of(4), 10, 1, 1, 1);
        device.ops()
                .route(
                        chosen,
                        weights,
                        logits,
                        new Router(spec(Gating.SOFTMAX, 1, 1, GroupScore.MAX, true), null, scale));
        assertThat(read(chosen)).as("ties go to the lower id").containsExactly(1, 0);
        // p = 3/6 and 1/6, normalised 3/4 and 1/4, times 2, times each expert's own scale.
        assertThat(read(weights)).containsExactly(new float[] {1.5f, 5f}, within(1e-5f));
    }

    @Test
    void biasChoosesButDoesNotWeigh() {
        Ids chosen = ids(1, 2);
        Rows weights = rows(1, 2);
        Weight bias = weight(Shape.of(4), 0, 0, 0, 1);
        device.ops()
                .route(
                        chosen,
                        weights,
                        rows(1, 4, 0, 0, 1, -50),
                        new Router(spec(Gating.SIGMOID, 1, 1, GroupScore.TOP2_SUM, false), bias, null));
        assertThat(read(chosen)).containsExactly(3, 2);
        float sigmoidOfOne = (float) (1 / (1 + Math.exp(-1)));
        assertThat(read(weights)).containsExactly(new float[] {0, 2 * sigmoidOfOne}, within(1e-6f));
    }

    /// The first group holds the best expert, the second the better pair; biased scores may be negative.
    @Test
    void groupsAreJudgedByTheirBestOrTheirBestTwo() {
        Weight bias = weight(Shape.of(4), -2, -3, -2.2f, -2.2f);
        Rows logits = rows(1, 4, 0, 0, 0, 0);
        Ids chosen = ids(1, 2);
        Rows weights = rows(1, 2);
        device.ops()
                .route(
                        chosen,
                        weights,
                        logits,
                        new Router(spec(Gating.SIGMOID, 2, 1, GroupScore.MAX, true), bias, null));
        assertThat(read(chosen)).containsExactly(0, 1);
        device.ops()
                .route(
                        chosen,
                        weights,
                        logits,
                        new Router(spec(Gating.SIGMOID, 2, 1, GroupScore.TOP2_SUM, true), bias, null));
        assertThat(read(chosen)).containsExactly(2, 3);
    }

    @Test
    void shapesThatDoNotFitAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> device.ops().matmul(rows(1, 2), weight(Shape.of(3, 2), new float[6]), rows(1, 4)))
                .withMessageContaining("matmul")
                .withMessageContaining("[3, 2]");
    }

    @Test
    void geluIsTheTanhForm() {
        Rows y = rows(1, 1);
        device.ops().glu(y, rows(1, 1, 1), rows(1, 1, 1), Activation.GELU_TANH);
        assertThat(read(y)[0]).isCloseTo(0.841192f, within(1e-6f));
    }

    @Test
    void topKTakesTheLowestOnTies() {
        Ids best = ids(2, 2);
        Rows values = rows(2, 2);
        device.ops().topK(best, values, rows(2, 3, 1, 5, 5, -3, -2, -2));
        assertThat(read(best)).containsExactly(1, 2, 1, 2);
        assertThat(read(values)).containsExactly(5, 5, -2, -2);
    }

    @Test
    void cachesAreFloatsWhateverTheirType() {
        assertThat(ReferenceCache.bytes(new CacheSpec(2, 64, 32, false, 100, CacheType.Q4_0)))
                .isEqualTo(100 * 2 * (64 + 32) * Float.BYTES);
        assertThat(ReferenceCache.bytes(new CacheSpec(1, 64, 32, true, 100, CacheType.F16)))
                .isEqualTo(100 * 64 * Float.BYTES);
    }
}
