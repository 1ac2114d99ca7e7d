package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.RopeSpec.Pairing;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How many launches an operation is: each takes a GPU some microseconds, whatever it computes. That they compute the
/// right thing, the conformance suite sees.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LaunchesTest {
    private static final int COLS = 64;

    private final OpenClDevice device = open();

    private static OpenClDevice open() {
        ClDevice here = OpenClHere.device();
        return new OpenClDevice(here.info(), here, DeviceOptions.DEFAULT);
    }

    @AfterAll
    void close() {
        device.close();
    }

    private long launches(Runnable work) {
        long before = device.launches();
        work.run();
        return device.launches() - before;
    }

    private Weight weight(QuantType type, WeightUse use, Shape shape, List<Float> factors) {
        TensorView view =
                new TensorView("test", type, shape, Arena.ofAuto().allocate(TensorView.byteSize(type, shape), 64));
        return device.upload(factors.isEmpty() ? view : view.withSliceScales(factors), use);
    }

    private Weight matrix(QuantType type, int rows) {
        return weight(type, WeightUse.MATMUL, Shape.of(COLS, rows), List.of());
    }

    private Weight vector(int size) {
        return weight(QuantType.F32, WeightUse.VECTOR, Shape.of(size), List.of());
    }

    private Rows rows(int rows, int cols) {
        return Rows.of(device.allocate(Buffer.Kind.F32, (long) rows * cols), rows, cols);
    }

    private long matmulAll(int tokens, Weight... ws) {
        List<Rows> ys = IntStream.range(0, 3).mapToObj(i -> rows(tokens, 40)).toList();
        Rows x = rows(tokens, COLS);
        return launches(() -> device.ops().matmulAll(ys, List.of(ws), x));
    }

    @Test
    void weightsOfATypeAreOneLaunchForOneRow() {
        Weight a = matrix(QuantType.Q4_0, 40);
        Weight b = matrix(QuantType.Q4_0, 30);
        Weight other = matrix(QuantType.Q8_0, 40);
        assertThat(matmulAll(1, a, b, a)).isEqualTo(1);
        assertThat(matmulAll(1, a)).isEqualTo(1);
        assertThat(matmulAll(1, a, b, other)).isEqualTo(2);
        assertThat(matmulAll(1, a, other, b)).isEqualTo(2);
        assertThat(matmulAll(1, other, a, b)).isEqualTo(2);
        assertThat(matmulAll(2, a, b, a)).isEqualTo(3);
    }

    @Test
    void weightsWithFactorsAreByThemselves() {
        Weight a = matrix(QuantType.Q4_0, 40);
        Weight factored = weight(QuantType.Q4_0, WeightUse.MATMUL, Shape.of(COLS, 40), List.of(0.5f));
        assertThat(matmulAll(1, a, factored, a)).isEqualTo(2);
        assertThat(matmulAll(1, factored, a, a)).isEqualTo(2);
    }

    @Test
    void aBranchJoinsInOneLaunch() {
        Weight norm = vector(COLS);
        List<Rows> ys = List.of(rows(2, COLS), rows(2, COLS), rows(2, COLS));
        Rows x = rows(2, COLS);
        Rows branch = rows(2, COLS);
        assertThat(launches(() -> device.ops().addRmsNorm(x, branch, norm, 0.5f, ys, List.of(norm, norm, norm), 1e-6f)))
                .isEqualTo(1);
        assertThat(launches(() -> device.ops().addRmsNorm(x, branch, null, 1, ys, List.of(), 1e-6f)))
                .isEqualTo(1);
    }

    @Test
    void headsArePreparedInOneLaunch() {
        Rope rope = new Rope(Pairing.HALVES, vector(4), 1);
        HeadSteps turned = new HeadSteps(vector(2 * 16), true, vector(16), rope);
        HeadSteps normed = new HeadSteps(null, true, null, null);
        List<HeadRows> heads = IntStream.range(0, 3)
                .mapToObj(i -> HeadRows.of(rows(2, 32), 2, 8))
                .toList();
        Ids positions = Ids.of(device.allocate(Buffer.Kind.I32, 2), 2, 1);
        assertThat(launches(() -> device.ops().prepareHeads(heads, List.of(turned, turned, normed), positions, 1e-6f)))
                .isEqualTo(1);
        assertThat(launches(() -> device.ops().prepareHeads(heads, List.of(turned), positions, 1e-6f)))
                .isEqualTo(1);
    }

    /// What is read is the id at the time of the call, whatever its array holds when the device gets to it.
    @Test
    void oneIdIsTakenAtTheCall() {
        Ids ids = new Ids(device.allocate(Buffer.Kind.I32, 3), 1, 1, 1);
        device.write(Ids.of(ids.buffer(), 3, 1), new int[] {7, 8, 9});
        int[] value = {123_456_789};
        device.write(ids, value);
        value[0] = 0;
        int[] read = new int[3];
        device.read(Ids.of(ids.buffer(), 3, 1), read);
        assertThat(read).containsExactly(7, 123_456_789, 9);
    }

    /// Of a generated token, from its id to its logits.
    @ParameterizedTest
    @CsvSource({"gemma4-moe/model-q4_0.gguf, 87", "gpt-oss/model-mxfp4.gguf, 60", "deepseek-v3/model-mla-q8_0.gguf, 64"
    })
    void aToken(String fixture, long expected) {
        Path path = Path.of(System.getProperty("panamoe.testdata"), "fixtures", fixture);
        try (GgufFile file = GgufFile.open(path);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, 4);
                Caches caches = model.newCaches(16, 4, CacheType.F16)) {
            runner.forward(caches, new int[] {1, 2, 3}, 0, 3, 0, Tap.NONE);
            float[] logits = new float[model.spec().vocabulary()];
            assertThat(launches(() -> {
                        runner.forward(caches, new int[] {4}, 0, 1, 3, Tap.NONE);
                        runner.logits(0, 1, logits, 0, Tap.NONE);
                    }))
                    .isEqualTo(expected);
        }
    }
}
