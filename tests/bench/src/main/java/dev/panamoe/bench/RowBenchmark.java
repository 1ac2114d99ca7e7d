package dev.panamoe.bench;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// The small operations on rows of activations.
public class RowBenchmark extends OperationBenchmark<RowBenchmark.Inputs> {
    private static final Bound<Inputs> EXACT = Bound.of(0, 0);

    @Param("cpu")
    String backend;

    @Param({"1", "512"})
    int tokens;

    @Param("2816")
    int cols;

    @Param("256")
    int headSize;

    @Param("128")
    int experts;

    @Param("8")
    int used;

    /// @param y what operations write or change
    record Inputs(
            Side side,
            Rows x,
            Rows z,
            Rows logits,
            Ids positions,
            Weight norm,
            Weight headNorm,
            Rope rope,
            Router router,
            Rows y,
            Rows branch,
            Rows normed,
            Rows factors,
            Ids ids) {}

    @Override
    String device() {
        return backend;
    }

    @Override
    int tokens() {
        return tokens;
    }

    @Override
    Inputs prepare(Side to, Samples from) {
        float[] norm = new float[cols];
        Samples.fill(norm, 0, cols, 7);
        float[] headNorm = new float[headSize];
        Samples.fill(headNorm, 0, headSize, 8);
        float[] frequencies = new float[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) Math.pow(10_000, -2.0 * i / headSize);
        }
        return new Inputs(
                to,
                to.input(cols),
                to.input(cols),
                to.input(experts),
                to.ids(1, (token, j) -> 1000 + token),
                to.upload(from.vector("norm", norm), WeightUse.VECTOR),
                to.upload(from.vector("head norm", headNorm), WeightUse.VECTOR),
                new Rope(
                        RopeSpec.Pairing.HALVES,
                        to.upload(from.vector("frequencies", frequencies), WeightUse.VECTOR),
                        1),
                new Router(RouterSpec.softmaxTopK(experts, used), null, null),
                to.output(cols),
                to.output(cols),
                to.output(cols),
                to.output(used),
                to.chosen(used));
    }

    /// @param passes how often a row is read or written
    private void count(Work work, int passes) {
        work.add(4.0 * passes * tokens * cols, 0);
    }

    @Benchmark
    public void rmsNorm(Work work) {
        run(Bound.of(2e-6, 0), in -> in.side.ops().rmsNorm(in.y, in.x, in.norm, 1e-6f));
        count(work, 2);
    }

    /// The sum may be next to nothing where its terms are not. Halved each time, it stays of a size.
    @Benchmark
    public void addRmsNorm(Work work) {
        run(
                Bound.of(4e-6, 4e-6),
                in -> in.side
                        .ops()
                        .addRmsNorm(in.y, in.branch, in.norm, 0.5f, List.of(in.normed), List.of(in.norm), 1e-6f));
        count(work, 5);
    }

    @Benchmark
    public void prepareHeads(Work work) {
        run(
                Bound.of(2e-6, 1e-5),
                in -> in.side
                        .ops()
                        .prepareHeads(
                                List.of(HeadRows.of(in.y, cols / headSize, headSize)),
                                List.of(new HeadSteps(in.norm, true, in.headNorm, in.rope)),
                                in.positions,
                                1e-6f));
        count(work, 2);
    }

    @Benchmark
    public void addBias(Work work) {
        run(EXACT, in -> in.side.ops().addBias(in.y, in.norm));
        count(work, 2);
    }

    /// Angles are exact; two products of values of a few units.
    @Benchmark
    public void rope(Work work) {
        run(Bound.of(0, 2e-6), in -> in.side.ops().rope(in.y.split(cols / headSize), in.positions, in.rope));
        count(work, 2);
    }

    @Benchmark
    public void route(Work work) {
        run(Bound.of(2e-6, 0), in -> in.side.ops().route(in.ids, in.factors, in.logits, in.router));
        work.add(4.0 * tokens * (experts + 2 * used), 0);
    }

    @Benchmark
    public void glu(Work work) {
        run(Bound.of(2e-6, 2e-7), in -> in.side.ops().glu(in.y, in.x, in.z, Activation.GELU_TANH));
        count(work, 3);
    }

    @Benchmark
    public void add(Work work) {
        run(EXACT, in -> in.side.ops().add(in.y, in.x));
        count(work, 3);
    }

    /// By a factor that may be applied for ever.
    @Benchmark
    public void scale(Work work) {
        run(EXACT, in -> in.side.ops().scale(in.y, -1));
        count(work, 2);
    }

    @Benchmark
    public void copy(Work work) {
        run(EXACT, in -> in.side.ops().copy(in.y, in.x));
        count(work, 2);
    }
}
