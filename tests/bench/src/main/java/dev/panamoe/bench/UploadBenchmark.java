package dev.panamoe.bench;

import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/// Handing weights to a device, which packs them or not.
public class UploadBenchmark extends OperationBenchmark<UploadBenchmark.Inputs> {
    @Param("cpu")
    String device;

    @Param({"Q4_0", "Q8_0", "Q4_K", "Q6_K", "F16"})
    QuantType type;

    @Param("4096")
    int rows;

    @Param("2816")
    int cols;

    /// MB of weights that a call uploads.
    @Param("192")
    int memory;

    record Inputs(Side side, Rows x, Rows y, List<TensorView> views) {
        List<Weight> upload() {
            return side.upload(views, WeightUse.MATMUL);
        }
    }

    @Override
    String device() {
        return device;
    }

    @Override
    int tokens() {
        return 3;
    }

    @Override
    Inputs prepare(Side to, Samples from) {
        return new Inputs(to, to.input(cols), to.output(rows), from.weights("w", type, Shape.of(cols, rows), memory));
    }

    /// Memory of weights is freed with their device.
    @Setup(Level.Invocation)
    public void forget() {
        reopen();
    }

    /// A product shows whether a weight is what it was.
    @Benchmark
    public void upload(Work work) {
        int last = inputs().views.size() - 1;
        run(
                (in, output, expected) -> Bound.ofProduct(in.views.get(last), 0, in.side.values(in.x), 0),
                Inputs::upload,
                in -> in.side.ops().matmul(in.y, in.upload().get(last), in.x));
        work.add((double) type.rowBytes(cols) * rows * (last + 1), 0);
    }
}
