package dev.panamoe.bench;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// Products that a layer does together: queries, keys and values; gate and up. And those of latent attention, a matrix
/// a head, in the sizes of DeepSeek V2 Lite.
public class FusedMatmulBenchmark extends OperationBenchmark<FusedMatmulBenchmark.Inputs> {
    @Param("cpu")
    String device;

    @Param("Q4_0")
    QuantType type;

    @Param({"1", "512"})
    int tokens;

    @Param("2816")
    int cols;

    @Param("4096")
    int rows;

    /// Of keys and of values.
    @Param("2048")
    int kvRows;

    /// Of the dense feed-forward.
    @Param("2112")
    int width;

    @Param("16")
    int heads;

    @Param("512")
    int headRows;

    @Param("128")
    int headCols;

    /// MB of weights of each kind that are multiplied in turn: more than caches hold.
    @Param("192")
    int memory;

    /// A weight and all that takes its place in later calls.
    record Turns(List<TensorView> views, List<Weight> weights) {
        static Turns on(Side to, Samples from, String name, QuantType type, Shape shape, int memory, WeightUse use) {
            List<TensorView> views = from.weights(name, type, shape, memory);
            return new Turns(views, to.upload(views, use));
        }

        /// There may be more of one than of another.
        TensorView view(int turn) {
            return views.get(turn % views.size());
        }

        Weight weight(int turn) {
            return weights.get(turn % weights.size());
        }
    }

    record Inputs(
            Side side,
            Rows x,
            Rows perHead,
            List<Rows> outputs,
            Rows scratch,
            List<Turns> qkv,
            Turns gate,
            Turns up,
            Turns heads) {}

    @Override
    String device() {
        return device;
    }

    @Override
    int tokens() {
        return tokens;
    }

    @Override
    Inputs prepare(Side to, Samples from) {
        return new Inputs(
                to,
                to.input(cols),
                to.input(heads * headCols),
                List.of(
                        to.output(rows),
                        to.output(kvRows),
                        to.output(kvRows),
                        to.output(width),
                        to.output(heads * headRows)),
                to.input(width),
                List.of(
                        matrix(to, from, "q", rows, memory * 2 / 3),
                        matrix(to, from, "k", kvRows, memory / 3),
                        matrix(to, from, "v", kvRows, memory / 3)),
                matrix(to, from, "gate", width, memory / 2),
                matrix(to, from, "up", width, memory / 2),
                Turns.on(
                        to,
                        from,
                        "heads",
                        type,
                        Shape.of(headCols, headRows, heads),
                        memory,
                        WeightUse.MATMUL_PER_HEAD));
    }

    private Turns matrix(Side to, Samples from, String name, int rows, int memory) {
        return Turns.on(to, from, name, type, Shape.of(cols, rows), memory, WeightUse.MATMUL);
    }

    @Benchmark
    public void matmulAll(Work work) {
        int i = turn(1 << 20);
        run(
                (in, output, expected) -> output < 3
                        ? Bound.ofProduct(in.qkv.get(output).view(i), 0, in.side.values(in.x), 0)
                        : new double[expected.length],
                in -> in.side
                        .ops()
                        .matmulAll(
                                in.outputs,
                                in.qkv.stream().map(w -> w.weight(i)).toList(),
                                in.x));
        work.add(type.rowBytes(cols) * (rows + 2.0 * kvRows), (double) tokens * cols * (rows + 2.0 * kvRows));
    }

    @Benchmark
    public void gatedMatmul(Work work) {
        int i = turn(1 << 20);
        run(
                Bound.ofSpread(arithmetic()),
                in -> in.side
                        .ops()
                        .gatedMatmul(
                                in.outputs.get(3),
                                in.scratch,
                                in.gate.weight(i),
                                in.up.weight(i),
                                in.x,
                                Activation.GELU_TANH));
        work.add(type.rowBytes(cols) * 2.0 * width, 2.0 * tokens * cols * width);
    }

    @Benchmark
    public void matmulPerHead(Work work) {
        int i = turn(1 << 20);
        run(
                (in, output, expected) -> output == 4 ? ofHeads(in, i) : new double[expected.length],
                in -> in.side
                        .ops()
                        .matmulPerHead(in.outputs.get(4).split(heads), in.heads.weight(i), in.perHead.split(heads)));
        work.add(type.rowBytes(headCols) * (double) headRows * heads, (double) tokens * heads * headRows * headCols);
    }

    private double[] ofHeads(Inputs in, int turn) {
        double[] all = new double[heads * headRows];
        float[] x = in.side.values(in.perHead);
        for (int h = 0; h < heads; h++) {
            double[] one = Bound.ofProduct(in.heads.view(turn), h, x, h * headCols);
            System.arraycopy(one, 0, all, h * headRows, headRows);
        }
        return all;
    }
}
