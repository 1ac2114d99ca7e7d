package dev.panamoe.bench;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// The feed-forward of experts: few experts, which all tokens share, or many, of which each token has other ones.
public class ExpertsBenchmark extends OperationBenchmark<ExpertsBenchmark.Inputs> {
    /// Choices that are used in turn, so that the experts of one token are in no cache.
    private static final int TURNS = 16;

    @Param("cpu")
    String device;

    @Param("Q4_0")
    QuantType type;

    @Param({"1", "512"})
    int tokens;

    @Param({"8", "128"})
    int experts;

    @Param("8")
    int used;

    @Param("704")
    int width;

    @Param("2816")
    int cols;

    record Inputs(Side side, Rows x, Rows y, Rows weights, Experts experts, List<Ids> choices) {}

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
        Weight gate = to.upload(from.weight("gate", type, Shape.of(cols, width, experts)), WeightUse.EXPERTS);
        Weight up = to.upload(from.weight("up", type, Shape.of(cols, width, experts)), WeightUse.EXPERTS);
        Weight down = to.upload(from.weight("down", type, Shape.of(width, cols, experts)), WeightUse.EXPERTS);
        List<Ids> choices = IntStream.range(0, TURNS)
                .mapToObj(turn -> to.ids(used, (token, j) -> (13 * token + used * turn + j) % experts))
                .toList();
        return new Inputs(
                to,
                to.input(cols),
                to.output(cols),
                to.input(used),
                new Experts(gate, up, down, Activation.GELU_TANH),
                choices);
    }

    @Benchmark
    public void experts(Work work) {
        int i = turn(TURNS);
        run(
                Bound.ofSpread(arithmetic()),
                in -> in.side.ops().experts(in.y, in.experts, in.x, in.choices.get(i), in.weights));
        double read = Math.min(experts, (double) used * tokens);
        work.add(
                read * (2.0 * type.rowBytes(cols) * width + type.rowBytes(width) * (double) cols),
                3.0 * tokens * used * width * cols);
    }
}
