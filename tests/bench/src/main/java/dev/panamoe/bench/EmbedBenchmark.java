package dev.panamoe.bench;

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

/// Rows of the table of a vocabulary.
public class EmbedBenchmark extends OperationBenchmark<EmbedBenchmark.Inputs> {
    /// Texts that take turns, so that their rows are in no cache.
    private static final int TURNS = 64;

    @Param("cpu")
    String backend;

    @Param("Q6_K")
    QuantType type;

    @Param({"1", "512"})
    int tokens;

    @Param("2816")
    int cols;

    @Param("262144")
    int vocabulary;

    record Inputs(Side side, Weight table, Rows y, List<Ids> texts) {}

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
        return new Inputs(
                to,
                to.upload(from.weight("table", type, Shape.of(cols, vocabulary)), WeightUse.EMBED),
                to.output(cols),
                IntStream.range(0, TURNS)
                        .mapToObj(turn ->
                                to.ids(1, (token, j) -> (int) ((turn + (long) TURNS * token) * 104_729 % vocabulary)))
                        .toList());
    }

    @Benchmark
    public void embed(Work work) {
        int i = turn(TURNS);
        run(Bound.of(1e-6, 0), in -> in.side.ops().embed(in.y, in.table, in.texts.get(i), 53));
        work.add((double) tokens * type.rowBytes(cols), 0);
    }
}
