package dev.panamoe.bench;

import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// One product, by storage type.
public class MatmulBenchmark extends OperationBenchmark<MatmulBenchmark.Inputs> {
    @Param("cpu")
    String device;

    @Param({"Q4_0", "Q8_0", "Q4_K", "Q6_K", "F16"})
    QuantType type;

    @Param({"1", "16", "512"})
    int tokens;

    @Param("4096")
    int rows;

    @Param("2816")
    int cols;

    /// MB of weights that are multiplied in turn: more than caches hold.
    @Param("192")
    int memory;

    record Inputs(Side side, Rows x, Rows y, List<TensorView> views, List<Weight> weights) {}

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
        List<TensorView> views = from.weights("w", type, Shape.of(cols, rows), memory);
        return new Inputs(to, to.input(cols), to.output(rows), views, to.upload(views, WeightUse.MATMUL));
    }

    @Benchmark
    public void matmul(Work work) {
        int i = turn(inputs().weights.size());
        run(
                (in, output, expected) -> Bound.ofProduct(in.views.get(i), 0, in.side.values(in.x), 0),
                in -> in.side.ops().matmul(in.y, in.weights.get(i), in.x));
        work.add((double) type.rowBytes(cols) * rows, (double) tokens * rows * cols);
    }
}
