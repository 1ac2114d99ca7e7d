package dev.panamoe.conformance;

import static dev.panamoe.conformance.Lab.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.conformance.Lab.Bound;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.RopeSpec.Pairing;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Operations that work row by row: norms, rotation, activations, sums, the largest value.
@ParameterizedClass
@MethodSource("dev.panamoe.conformance.Backends#all")
class RowConformanceTest {
    private static final Bound RMS_NORM_BOUND = Bound.of(2e-6, 0);
    /// Far left of zero the exponent magnifies the rounding of its argument, but the result is next to nothing.
    private static final Bound GLU_BOUND = Bound.of(2e-6, 2e-7);

    /// Angles are exact; two products of about one.
    private static final Bound ROPE_BOUND = Bound.of(0, 2e-6);

    /// The sum may be next to nothing where its terms are not.
    private static final Bound ADD_RMS_NORM_BOUND = Bound.of(4e-6, 4e-6);

    private static final Bound PREPARE_HEADS_BOUND = Bound.of(2e-6, 1e-5);

    /// Of the cap: tanh within 4e-7.
    private static final double SOFTCAP_BOUND = 4e-7;

    private static final int[] WIDTHS = {1, 3, 16, 37, 130};

    /// Enough rows and values that a backend spreads them over its threads.
    private static final int MANY = 301;

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

    @Test
    void rmsNorm() {
        for (int n : WIDTHS) {
            float[] w = Matrix.random(1, n, 5).values();
            for (boolean weighted : new boolean[] {true, false}) {
                Matrix x = Matrix.random(n == 130 ? MANY : 3, n, n);
                Matrix y = lab.check("rmsNorm " + n, RMS_NORM_BOUND, d -> rmsNorm(d, x, weighted, w, false));
                assertSameBits("alone", rmsNorm(lab.device(), x.rows(2, 1), weighted, w, false), y.rows(2, 1));
                assertSameBits("in place", rmsNorm(lab.device(), x, weighted, w, true), y);
            }
        }
    }

    @Test
    void rmsNormOfExtremes() {
        for (double size : new double[] {1e-25, 1e-12, 1e12, 1e30}) {
            Matrix x = Matrix.random(2, 37, 3, size);
            lab.check("rmsNorm of size " + size, RMS_NORM_BOUND, d -> rmsNorm(d, x, false, new float[0], false));
        }
        lab.check("rmsNorm of zeros", Bound.EXACT, d -> rmsNorm(d, new Matrix(1, 20), false, new float[0], false));
    }

    private static Matrix rmsNorm(Device d, Matrix x, boolean weighted, float[] w, boolean inPlace) {
        Weight weight = weighted ? d.upload(Weights.vector(w), WeightUse.VECTOR) : null;
        Rows in = Lab.place(d, x, 3, 5);
        Rows y = inPlace ? in : Lab.empty(d, x.rows(), x.cols(), 1, 2);
        d.ops().rmsNorm(y, in, weight, 1e-6f);
        return Lab.read(d, y);
    }

    @Test
    void addRmsNorm() {
        for (int n : WIDTHS) {
            for (int norms = 0; norms <= Ops.MAX_NORMS; norms++) {
                int count = norms;
                boolean branchNormed = norms % 2 == 1;
                float scale = norms < 2 ? 1 : 0.37f;
                Matrix x = Matrix.random(3, n, n);
                Matrix branch = Matrix.random(x.rows(), n, n + 1, 3);
                Matrix all = lab.check(
                        "addRmsNorm " + n + " with " + norms,
                        ADD_RMS_NORM_BOUND,
                        d -> addRmsNorm(d, d.ops(), x, branch, branchNormed, scale, count));
                Device d = lab.device();
                assertSameBits(
                        "one by one", addRmsNorm(d, Lab.oneByOne(d.ops()), x, branch, branchNormed, scale, count), all);
                Matrix alone = addRmsNorm(d, d.ops(), x.rows(1, 1), branch.rows(1, 1), branchNormed, scale, count);
                for (int part = 0; part < 2 + norms; part++) {
                    assertSameBits("row alone", alone.rows(part, 1), all.rows(part * x.rows() + 1, 1));
                }
            }
        }
    }

    /// Sums whose squares leave the range of float32, of the branch and of what it joins.
    @Test
    void addRmsNormOfExtremes() {
        for (double size : new double[] {1e-25, 1e30}) {
            Matrix x = Matrix.random(2, 37, 3, size);
            Matrix branch = Matrix.random(2, 37, 4, size);
            for (boolean branchNormed : new boolean[] {true, false}) {
                lab.check(
                        "addRmsNorm of size " + size,
                        (r, c, e) -> 1e-5 * Math.abs(e) + 1e-6 * (r < 2 || (r < 4 && !branchNormed) ? size : 1),
                        d -> addRmsNorm(d, d.ops(), x, branch, branchNormed, 1, 1));
            }
        }
    }

    /// What is in x, branch and the norms afterwards, one below the other.
    private static Matrix addRmsNorm(
            Device d, Ops ops, Matrix x, Matrix branch, boolean branchNormed, float scale, int count) {
        int n = x.cols();
        Rows stream = Lab.place(d, x, 3, 5);
        Rows added = Lab.place(d, branch, 1, 0);
        // One more than norms: it stays as it is.
        List<Rows> ys = IntStream.rangeClosed(0, count)
                .mapToObj(i -> Lab.empty(d, x.rows(), n, i, 2 * i))
                .toList();
        List<Weight> norms =
                IntStream.range(0, count).mapToObj(i -> vector(d, n, 20 + i)).toList();
        ops.addRmsNorm(stream, added, branchNormed ? vector(d, n, 19) : null, scale, ys, norms, 1e-6f);
        assertThat(Lab.read(d, ys.get(count)).values()).containsOnly(Lab.GUARD);
        return Lab.stack(Stream.concat(Stream.of(stream, added), ys.stream().limit(count))
                .map(r -> Lab.read(d, r))
                .toList());
    }

    private static Weight vector(Device d, int n, long seed) {
        return d.upload(Weights.vector(Matrix.random(1, n, seed).values()), WeightUse.VECTOR);
    }

    /// Every step of queries, keys and values with and without the others, and queries alone.
    @Test
    void prepareHeads() {
        int[] positions = {5, 6, 7};
        for (int steps = 0; steps < 16; steps++) {
            boolean bias = (steps & 1) != 0;
            boolean normed = (steps & 2) != 0;
            boolean rotated = (steps & 4) != 0;
            int kinds = (steps & 8) != 0 ? Ops.MAX_HEAD_KINDS : 1;
            for (int size : steps == 15 ? new int[] {2, 16, 37, 130} : new int[] {16, 37}) {
                int dims = size == 16 ? 16 : size / 4 * 2 + 2;
                Pairing pairing = size < 20 ? Pairing.HALVES : Pairing.INTERLEAVED;
                List<Matrix> all = Stream.of(3, 2, 1)
                        .map(h -> Matrix.random(positions.length, h * size, h + size))
                        .toList();
                Heads how = new Heads(size, dims, pairing, kinds, bias, normed, rotated);
                Matrix y =
                        lab.check("prepareHeads " + how, PREPARE_HEADS_BOUND, d -> how.on(d, d.ops(), all, positions));
                Device d = lab.device();
                assertSameBits("one by one " + how, how.on(d, Lab.oneByOne(d.ops()), all, positions), y);
                List<Matrix> last = all.stream().map(m -> m.rows(2, 1)).toList();
                Matrix alone = how.on(d, d.ops(), last, new int[] {positions[2]});
                assertSameBits("token alone " + how, alone.rows(0, 3), y.rows(6, 3));
                assertSameBits("token alone " + how, alone.rows(3, 2), y.rows(9 + 4, 2));
                assertSameBits("token alone " + how, alone.rows(5, 1), y.rows(15 + 2, 1));
            }
        }
    }

    /// Queries with 3 heads, keys with 2 and values with 1, of which the first `kinds` are prepared. Values are not
    /// rotated, and their norm has no weight.
    private record Heads(
            int size, int dims, Pairing pairing, int kinds, boolean bias, boolean normed, boolean rotated) {
        /// A row a head: queries, keys and values.
        Matrix on(Device d, Ops ops, List<Matrix> all, int[] positions) {
            List<HeadRows> heads = all.stream()
                    .map(m -> HeadRows.of(Lab.place(d, m, 3, 0), m.cols() / size, dims))
                    .toList();
            float[] frequencies = new float[dims / 2];
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] = 1f / (1 + i);
            }
            Rope rope = new Rope(pairing, d.upload(Weights.vector(frequencies), WeightUse.VECTOR), 1.25f);
            List<HeadSteps> steps = IntStream.range(0, kinds)
                    .mapToObj(i -> new HeadSteps(
                            bias ? vector(d, all.get(i).cols(), i) : null,
                            normed,
                            normed && i < 2 ? vector(d, size, 9 + i) : null,
                            rotated && i < 2 ? rope : null))
                    .toList();
            ops.prepareHeads(heads, steps, Lab.ids(d, positions.length, 1, positions), 1e-6f);
            return Lab.stack(heads.stream()
                    .map(h -> Lab.read(d, h.rows()))
                    .map(m -> new Matrix(m.rows() * m.cols() / size, size, m.values()))
                    .toList());
        }
    }

    @Test
    void rope() {
        int[] positions = {0, 1, 2, 3};
        int[] far = {131_072, 131_073, 131_074, 131_075};
        for (Pairing pairing : Pairing.values()) {
            for (int pairs : new int[] {1, 5, 16, 33}) {
                Matrix x = Matrix.random(4 * 3, 2 * pairs, pairs);
                for (int[] at : new int[][] {positions, far}) {
                    Matrix y = lab.check("rope " + pairing + " " + pairs, ROPE_BOUND, d -> rope(d, x, pairing, at));
                    Matrix alone = rope(lab.device(), x.rows(9, 3), pairing, new int[] {at[3]});
                    assertSameBits("token alone", alone, y.rows(9, 3));
                }
            }
        }
    }

    /// The same call again, with other frequencies and positions in between: nothing stale is used.
    @Test
    void ropeRemembersRightly() {
        Matrix x = Matrix.random(2, 8, 1);
        for (int round = 0; round < 2; round++) {
            for (int p = 0; p < 6; p++) {
                int[] at = {p, p + 1};
                lab.check("rope round " + round, ROPE_BOUND, d -> rope(d, x, Pairing.HALVES, at));
            }
        }
    }

    private static Matrix rope(Device d, Matrix x, Pairing pairing, int[] positions) {
        int pairs = x.cols() / 2;
        float[] frequencies = new float[pairs];
        for (int i = 0; i < pairs; i++) {
            frequencies[i] = (float) Math.pow(10_000, -(double) i / pairs);
        }
        Rows y = Lab.place(d, x, 2, 7);
        d.ops()
                .rope(
                        y,
                        Lab.ids(d, positions.length, 1, positions),
                        new Rope(pairing, d.upload(Weights.vector(frequencies), WeightUse.VECTOR), 1.25f));
        return Lab.read(d, y);
    }

    @Test
    void glu() {
        for (Activation activation : Activation.values()) {
            for (int n : WIDTHS) {
                Matrix gate = Matrix.random(n == 130 ? MANY : 2, n, n, 4);
                Matrix up = Matrix.random(gate.rows(), n, n + 1);
                BiConsumer<Ops, Rows[]> op = (ops, r) -> ops.glu(r[0], r[1], r[2], activation);
                Matrix y = lab.check("glu " + activation + " " + n, GLU_BOUND, d -> three(d, gate, up, op));
                assertSameBits(
                        "y is gate",
                        three(lab.device(), gate, up, (ops, r) -> {
                            ops.glu(r[1], r[1], r[2], activation);
                            ops.copy(r[0], r[1]);
                        }),
                        y);
                assertSameBits(
                        "y is up",
                        three(lab.device(), gate, up, (ops, r) -> {
                            ops.glu(r[2], r[1], r[2], activation);
                            ops.copy(r[0], r[2]);
                        }),
                        y);
            }
        }
    }

    @Test
    void gluOfExtremes() {
        Matrix gate = new Matrix(1, 19, new float[] {
            0, -0f, 1e-30f, -1e-30f, 1e-4f, -1e-4f, 5, -5, 9, -9, 20, -20, 88, 100, 1e4f, 1e30f, 3e38f, -88, -70
        });
        Matrix up = new Matrix(1, 19);
        Arrays.fill(up.values(), 1);
        for (Activation activation : Activation.values()) {
            lab.check(
                    "glu of extremes, " + activation,
                    Bound.of(3e-6, 1e-6),
                    d -> three(d, gate, up, (ops, r) -> ops.glu(r[0], r[1], r[2], activation)));
        }
    }

    /// Both ends of what the gate and the up value are held between, and far beyond.
    @Test
    void clampedSwigluOfExtremes() {
        float[] ends = {0, -0f, 1, -1, 6.9999995f, 7, 7.0000005f, -7, -6.9999995f, 88, -88, 1e4f, -1e4f, 3e38f, -3e38f};
        Matrix gate = new Matrix(ends.length, ends.length);
        Matrix up = new Matrix(ends.length, ends.length);
        for (int r = 0; r < ends.length; r++) {
            Arrays.fill(gate.values(), r * ends.length, (r + 1) * ends.length, ends[r]);
            System.arraycopy(ends, 0, up.values(), r * ends.length, ends.length);
        }
        Matrix y = lab.check(
                "clamped",
                Bound.of(3e-6, 1e-6),
                d -> three(d, gate, up, (ops, r) -> ops.glu(r[0], r[1], r[2], Activation.SWIGLU_CLAMPED)));
        assertThat(y.get(5, 5)).isCloseTo((float) (7 / (1 + Math.exp(-1.702 * 7)) * 8), offset(1e-4f));
        assertThat(y.values()).doesNotContain(Float.NaN);
    }

    @Test
    void addBias() {
        for (int n : WIDTHS) {
            Matrix a = Matrix.random(n == 130 ? MANY : 3, n, n);
            float[] bias = Matrix.random(1, n, 9).values();
            bias[n / 2] = 1e30f;
            Matrix y = lab.check("addBias " + n, Bound.EXACT, d -> addBias(d, a, bias));
            assertSameBits("alone", addBias(lab.device(), a.rows(2, 1), bias), y.rows(2, 1));
        }
    }

    private static Matrix addBias(Device d, Matrix x, float[] bias) {
        Rows y = Lab.place(d, x, 3, 2);
        d.ops().addBias(y, d.upload(Weights.vector(bias), WeightUse.VECTOR));
        return Lab.read(d, y);
    }

    /// Does `op` with rows `{result, first, second}`.
    private static Matrix three(Device d, Matrix a, Matrix b, BiConsumer<Ops, Rows[]> op) {
        Rows y = Lab.empty(d, a.rows(), a.cols(), 3, 1);
        op.accept(d.ops(), new Rows[] {y, Lab.place(d, a, 0, 2), Lab.place(d, b, 5, 0)});
        return Lab.read(d, y);
    }

    @Test
    void addScaleCopy() {
        for (int n : WIDTHS) {
            Matrix a = Matrix.random(n == 130 ? MANY : 3, n, n);
            Matrix b = Matrix.random(a.rows(), n, n + 1);
            lab.check("copy " + n, Bound.EXACT, d -> three(d, a, b, (ops, r) -> ops.copy(r[0], r[1])));
            lab.check(
                    "add " + n,
                    Bound.EXACT,
                    d -> three(d, a, b, (ops, r) -> {
                        ops.copy(r[0], r[1]);
                        ops.add(r[0], r[2]);
                    }));
            lab.check(
                    "scale " + n,
                    Bound.EXACT,
                    d -> three(d, a, b, (ops, r) -> {
                        ops.copy(r[0], r[1]);
                        ops.scale(r[0], 0.3f);
                    }));
        }
    }

    @Test
    void softcap() {
        for (int n : WIDTHS) {
            Matrix x = Matrix.random(2, n, n, 40);
            x.values()[0] = 1e30f;
            x.values()[n] = -1e30f;
            lab.check(
                    "softcap " + n,
                    Bound.of(0, 30 * SOFTCAP_BOUND),
                    d -> three(d, x, x, (ops, r) -> {
                        ops.copy(r[0], r[1]);
                        ops.softcap(r[0], 30f);
                    }));
        }
    }

    @Test
    void topK() {
        // One, two and three passes of kernels that find the largest of parts.
        for (int n : new int[] {1, 7, 300, 2048, 2049, 40_000}) {
            Matrix x = Matrix.random(4, n, n);
            // Many equal values, of which the lower columns come first; both zeros; nothing finite; what is no number.
            for (int i = 0; i < n; i++) {
                x.values()[n + i] = i * 7 % 5;
                x.values()[2 * n + i] = i % 3 == 0 ? -0.0f : i % 3 == 1 ? 0 : -1e-40f;
            }
            Arrays.fill(x.values(), 3 * n, 4 * n, Float.NEGATIVE_INFINITY);
            x.values()[4 * n - 1] = Float.NaN;
            x.values()[3 * n + n / 2] = Float.POSITIVE_INFINITY;
            for (int k : new int[] {1, 5, 64, Ops.MAX_TOP_K}) {
                if (k <= n) {
                    checkTopK(x, k);
                }
            }
        }
    }

    private void checkTopK(Matrix x, int k) {
        Matrix[] values = new Matrix[2];
        int[][] ids = new int[2][];
        for (int i = 0; i < 2; i++) {
            Device d = i == 0 ? lab.device() : lab.reference();
            Ids found = Lab.ids(d, x.rows(), k);
            Rows held = Lab.empty(d, x.rows(), k, 2, 3);
            d.ops().topK(found, held, Lab.place(d, x, 4, 3));
            ids[i] = Lab.read(d, found);
            values[i] = Lab.read(d, held);
        }
        assertThat(ids[0]).as("%d of %d columns", k, x.cols()).isEqualTo(ids[1]);
        assertThat(values[0].values()).isEqualTo(values[1].values());
        assertThat(values[0].values()[0]).isEqualTo(x.values()[ids[0][0]]);
    }

    @Test
    void writesAndReadsOfViews() {
        Device d = lab.device();
        Matrix m = Matrix.random(4, 6, 1);
        Rows rows = Lab.place(d, m, 9, 5);
        float[] part = new float[2 * 3 + 2];
        d.read(rows.rows(1, 2).columns(2, 3), part, 1);
        assertThat(part)
                .containsExactly(0, m.get(1, 2), m.get(1, 3), m.get(1, 4), m.get(2, 2), m.get(2, 3), m.get(2, 4), 0);
        Ids ids = Lab.ids(d, 4, 2, IntStream.range(0, 8).toArray());
        int[] some = new int[4];
        d.read(ids.rows(1, 2), some);
        assertThat(some).containsExactly(2, 3, 4, 5);
    }
}
