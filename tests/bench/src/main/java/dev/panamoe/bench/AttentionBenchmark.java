package dev.panamoe.bench;

import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Rows;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// Attention, and storing keys and values: the tokens are the last ones of a context.
public class AttentionBenchmark extends OperationBenchmark<AttentionBenchmark.Inputs> {
    /// Positions that are stored at a time in the beginning.
    private static final int CHUNK = 64;

    @Param("cpu")
    String backend;

    @Param({"F16", "Q8_0"})
    CacheType cache;

    @Param({"1", "512"})
    int tokens;

    @Param("4096")
    int positions;

    /// Positions that a token sees; 0 = all.
    @Param("0")
    int window;

    @Param("16")
    int heads;

    @Param("8")
    int kvHeads;

    @Param("256")
    int headSize;

    record Inputs(Side side, KvCache cache, Rows k, Rows v, Rows q, Rows out, Ids at, Attention attention) {
        void append() {
            side.ops().kvAppend(cache, k, v, at);
        }

        void attend() {
            int heads = attention.heads();
            side.ops().attention(out.split(heads), q.split(heads), cache, at, attention);
        }
    }

    @Override
    String device() {
        return backend;
    }

    @Override
    int tokens() {
        return tokens;
    }

    private int first() {
        return positions - tokens;
    }

    @Override
    Inputs prepare(Side to, Samples from) {
        int width = kvHeads * headSize;
        KvCache kv = to.cache(new CacheSpec(kvHeads, headSize, headSize, false, positions, cache));
        Rows k = rows(to, CHUNK, width);
        Rows v = rows(to, CHUNK, width);
        Ids at = Ids.of(to.device().allocate(Buffer.Kind.I32, CHUNK), CHUNK, 1);
        for (int p = 0; p < positions; p += CHUNK) {
            int count = Math.min(CHUNK, positions - p);
            write(to, k, p, 1);
            write(to, v, p, 2);
            to.device().write(at.rows(0, count), IntStream.range(p, p + count).toArray());
            to.ops().kvAppend(kv, k.rows(0, count), v.rows(0, count), at.rows(0, count));
        }
        // The tokens' own keys and values are in the cache already: storing them again changes nothing.
        Rows ownKeys = rows(to, to.tokens(), width);
        Rows ownValues = rows(to, to.tokens(), width);
        write(to, ownKeys, first() + to.first(), 1);
        write(to, ownValues, first() + to.first(), 2);
        return new Inputs(
                to,
                kv,
                ownKeys,
                ownValues,
                to.input(heads * headSize),
                to.output(heads * headSize),
                to.ids(1, (token, j) -> first() + token),
                new Attention(heads, (float) (1 / Math.sqrt(headSize)), window));
    }

    private static Rows rows(Side to, int rows, int cols) {
        return Rows.of(to.device().allocate(Buffer.Kind.F32, (long) rows * cols), rows, cols);
    }

    private static void write(Side to, Rows rows, int position, int seed) {
        float[] values = new float[rows.rows() * rows.cols()];
        for (int r = 0; r < rows.rows(); r++) {
            Samples.fill(values, r * rows.cols(), rows.cols(), 1_000_003L * (position + r) + seed);
        }
        to.device().write(rows, values);
    }

    /// Values are about one; a result is their weighted mean.
    private static Bound<Inputs> bound() {
        return Bound.of(0, 5e-6);
    }

    private double cacheBytes(double position) {
        return position * 2 * kvHeads * cache.storage().rowBytes(headSize);
    }

    @Benchmark
    public void attention(Work work) {
        run(bound(), Inputs::attend);
        double seen = 0;
        for (int t = 0; t < tokens; t++) {
            int all = first() + t + 1;
            seen += window == 0 ? all : Math.min(window, all);
        }
        double read = window == 0 ? positions : Math.min(positions, window + tokens - 1.0);
        work.add(cacheBytes(read), 2 * seen * heads * headSize);
    }

    /// What is stored shows when it is read.
    @Benchmark
    public void kvAppend(Work work) {
        run(bound(), Inputs::append, in -> {
            in.append();
            in.attend();
        });
        work.add(cacheBytes(tokens), 0);
    }
}
