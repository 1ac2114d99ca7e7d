package dev.panamoe.bench;

import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// What is done to the logits of one token.
public class LogitsBenchmark extends OperationBenchmark<LogitsBenchmark.Inputs> {
    private static final float CAP = 30;

    @Param("cpu")
    String backend;

    @Param("262144")
    int vocabulary;

    /// What sampling keeps by default.
    private static final int TOP = 40;

    record Inputs(Side side, Rows logits, Ids top, Rows topLogits) {}

    @Override
    String device() {
        return backend;
    }

    @Override
    int tokens() {
        return 1;
    }

    @Override
    Inputs prepare(Side to, Samples from) {
        return new Inputs(to, to.output(vocabulary), to.chosen(TOP), to.output(TOP));
    }

    @Benchmark
    public void softcap(Work work) {
        run(Bound.of(0, 4e-7 * CAP), in -> in.side.ops().softcap(in.logits, CAP));
        work.add(8.0 * vocabulary, 0);
    }

    @Benchmark
    public void topK(Work work) {
        run(Bound.of(0, 0), in -> in.side.ops().topK(in.top, in.topLogits, in.logits));
        work.add(4.0 * vocabulary, 0);
    }
}
