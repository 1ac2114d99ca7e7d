package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// The feed-forward of chosen experts. Pairs of a token and one of its experts are sorted by expert; then three passes:
/// gate, up and activation of every pair; down of every pair; the weighted sum of each token, in the order of its
/// choice. A chunk of the first two is some weight rows of one expert with all its pairs, so an expert is read once
/// and one that nobody chose is not read.
final class ExpertsTask {
    private static final int CHUNK_ROWS = 32;

    /// Values of the result of every pair that are held at a time; more tokens are done in several goes.
    private static final int MAX_RESULTS = 8 << 20;

    private final Scratch[] scratch;
    private final WorkerPool pool;
    private CpuWeight gate = CpuWeight.NONE;
    private CpuWeight up = CpuWeight.NONE;
    private CpuWeight down = CpuWeight.NONE;
    private Experts.@Nullable Biases biases;
    private Activation activation = Activation.SILU;
    private Rows xs = CpuOps.NO_ROWS;
    private Rows ys = CpuOps.NO_ROWS;
    private Ids ids = CpuOps.NO_IDS;
    private Rows weights = CpuOps.NO_ROWS;
    private int firstToken;
    private int tokens;

    /// Pairs of expert `e` are `starts[e]` to `starts[e + 1] - 1` in sorted order.
    private int[] starts = new int[0];

    /// The experts in use.
    private int[] used = new int[0];

    private int[] xAt = new int[0];
    private int[] hiddenAt = new int[0];
    private int[] resultAt = new int[0];
    private float[] gates = new float[0];
    private float[] ups = new float[0];
    private float[] results = new float[0];

    private final WorkerPool.Task hiddenPass = this::hidden;
    private final WorkerPool.Task downPass = this::down;
    private final WorkerPool.Task sumPass = this::sum;

    ExpertsTask(WorkerPool pool, Scratch[] scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    void run(Rows y, Experts experts, Rows x, Ids chosen, Rows factors) {
        gate = (CpuWeight) experts.gate();
        up = (CpuWeight) experts.up();
        down = (CpuWeight) experts.down();
        biases = experts.biases();
        activation = experts.activation();
        xs = x;
        ys = y;
        ids = chosen;
        weights = factors;
        int step = Math.max(1, MAX_RESULTS / Math.multiplyExact(ids.cols(), down.rows()));
        for (firstToken = 0; firstToken < x.rows(); firstToken += step) {
            tokens = Math.min(step, x.rows() - firstToken);
            int usedExperts = sort();
            pool.run(usedExperts * Math.ceilDiv(gate.rows(), CHUNK_ROWS), hiddenPass);
            pool.run(usedExperts * Math.ceilDiv(down.rows(), CHUNK_ROWS), downPass);
            pool.run(tokens, sumPass);
        }
    }

    /// A counting sort, stable; returns how many experts are in use.
    private int sort() {
        int pairs = tokens * ids.cols();
        int experts = gate.slices();
        int[] e = HostBuffer.ints(ids);
        int at = ids.offset() + firstToken * ids.cols();
        starts = Scratch.atLeast(starts, experts + 1);
        used = Scratch.atLeast(used, experts);
        xAt = Scratch.atLeast(xAt, pairs);
        hiddenAt = Scratch.atLeast(hiddenAt, pairs);
        resultAt = Scratch.atLeast(resultAt, pairs);
        gates = Scratch.atLeast(gates, pairs * gate.rows());
        ups = Scratch.atLeast(ups, pairs * gate.rows());
        results = Scratch.atLeast(results, pairs * down.rows());
        Arrays.fill(starts, 0, experts + 1, 0);
        for (int p = 0; p < pairs; p++) {
            starts[e[at + p] + 1]++;
        }
        int n = 0;
        for (int i = 0; i < experts; i++) {
            if (starts[i + 1] > 0) {
                used[n++] = i;
            }
            starts[i + 1] += starts[i];
        }
        for (int p = 0; p < pairs; p++) {
            int i = starts[e[at + p]]++;
            xAt[i] = xs.offset() + (firstToken + p / ids.cols()) * xs.stride();
            hiddenAt[i] = i * gate.rows();
            resultAt[i] = p * down.rows();
        }
        // Each start has moved to the next one's place.
        System.arraycopy(starts, 0, starts, 1, experts);
        starts[0] = 0;
        return n;
    }

    private void hidden(int chunk, int thread) {
        int perExpert = Math.ceilDiv(gate.rows(), CHUNK_ROWS);
        int expert = used[chunk / perExpert];
        int from = chunk % perExpert * CHUNK_ROWS;
        int count = Math.min(CHUNK_ROWS, gate.rows() - from);
        int first = starts[expert];
        int pairs = starts[expert + 1] - first;
        float[] x = HostBuffer.floats(xs);
        Products.rows(gate, expert, from, count, x, xAt, gates, hiddenAt, first, pairs, scratch[thread]);
        Products.rows(up, expert, from, count, x, xAt, ups, hiddenAt, first, pairs, scratch[thread]);
        if (biases != null) {
            addBias(gates, hiddenAt, (CpuWeight) biases.gate(), expert, from, count, first, pairs);
            addBias(ups, hiddenAt, (CpuWeight) biases.up(), expert, from, count, first, pairs);
        }
        for (int i = first; i < first + pairs; i++) {
            int o = hiddenAt[i] + from;
            Elementwise.glu(activation, gates, o, gates, o, ups, o, count);
        }
    }

    private void down(int chunk, int thread) {
        int perExpert = Math.ceilDiv(down.rows(), CHUNK_ROWS);
        int expert = used[chunk / perExpert];
        int from = chunk % perExpert * CHUNK_ROWS;
        int count = Math.min(CHUNK_ROWS, down.rows() - from);
        int first = starts[expert];
        int pairs = starts[expert + 1] - first;
        Products.rows(down, expert, from, count, gates, hiddenAt, results, resultAt, first, pairs, scratch[thread]);
        if (biases != null) {
            addBias(results, resultAt, (CpuWeight) biases.down(), expert, from, count, first, pairs);
        }
    }

    /// Adds values `from` to `from + count - 1` of an expert's row of `bias` to what its pairs have there.
    private static void addBias(
            float[] y, int[] yAt, CpuWeight bias, int expert, int from, int count, int first, int pairs) {
        long offset = bias.offset(0, expert) + 4L * from;
        for (int i = first; i < first + pairs; i++) {
            Elementwise.add(y, yAt[i] + from, bias.data(), offset, count);
        }
    }

    private void sum(int token, int thread) {
        int n = down.rows();
        float[] factors = HostBuffer.floats(weights);
        int factorsAt = weights.offset() + (firstToken + token) * weights.stride();
        float[] y = HostBuffer.floats(ys);
        int at = ys.offset() + (firstToken + token) * ys.stride();
        int pair = token * ids.cols() * n;
        int whole = n - n % Simd.L;
        for (int i = 0; i < whole; i += Simd.L) {
            FloatVector total = FloatVector.zero(Simd.F);
            for (int j = 0; j < ids.cols(); j++) {
                total = FloatVector.fromArray(Simd.F, results, pair + j * n + i)
                        .fma(FloatVector.broadcast(Simd.F, factors[factorsAt + j]), total);
            }
            total.intoArray(y, at + i);
        }
        for (int i = whole; i < n; i++) {
            float total = 0;
            for (int j = 0; j < ids.cols(); j++) {
                total = Math.fma(results[pair + j * n + i], factors[factorsAt + j], total);
            }
            y[at + i] = total;
        }
    }
}
