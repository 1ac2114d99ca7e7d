package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Rows;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// The feed-forward of chosen experts. Pairs of a token and one of its experts are sorted by expert; then three passes:
/// gate, up and activation of every pair; down of every pair; the weighted sum of each token, in the order of its
/// choice. A chunk of the first two is some weight rows of one expert with all its pairs, so an expert is read once
/// and one that nobody chose is not read; and experts with many pairs are more chunks of work, not longer ones.
///
/// Rows that meet packed weights are quantised before each of the two: those of tokens once, then copied to the tiles
/// of the experts that the token chose.
final class ExpertsTask implements AutoCloseable {
    /// Bytes of weights that a chunk reads, of gate and of up each, or of down. Fewer than in {@link PackedTask}, where
    /// the number of threads bounds a chunk too: an expert has few rows, and ends with a chunk that is smaller.
    private static final int CHUNK_BYTES = 48 * 1024;

    /// Kernels take two groups of rows at a time.
    private static final int CHUNK_ROWS = 2 * PackedType.ROWS;

    private static final int MAX_CHUNK_ROWS = 4 * CHUNK_ROWS;

    /// Values of the result of every pair that are held at a time; more tokens are done in several goes.
    private static final int MAX_RESULTS = 8 << 20;

    private final KernelSet kernels;
    private final Scratch[] scratch;
    private final WorkerPool pool;
    private final Panels tokenPanels;
    private final Panels pairPanels;
    private final Panels hiddenPanels;
    private Matrix gate = CpuWeight.NONE;
    private Matrix up = CpuWeight.NONE;
    private Matrix down = CpuWeight.NONE;
    private Experts.@Nullable Biases biases;
    private Activation activation = Activation.SILU;
    private Rows xs = CpuOps.NO_ROWS;
    private Rows ys = CpuOps.NO_ROWS;
    private Ids ids = CpuOps.NO_IDS;
    private Rows weights = CpuOps.NO_ROWS;
    private int firstToken;
    private int tokens;
    /// Whether experts read their token's own tile: a single token, each of whose experts is another.
    private boolean single;

    private int gateChunkRows;
    private int downChunkRows;

    /// Pairs of expert `e` are `starts[e]` to `starts[e + 1] - 1` in sorted order.
    private int[] starts = new int[0];

    /// The experts in use.
    private int[] used = new int[0];

    /// The token of each pair, of those that are done at a time.
    private int[] tokenOf = new int[0];

    private int[] xAt = new int[0];
    private int[] hiddenAt = new int[0];
    private int[] resultAt = new int[0];
    private int[] roundedAt = new int[0];
    private float[] rounded = new float[0];
    private float[] gates = new float[0];
    private float[] ups = new float[0];
    private float[] results = new float[0];

    private final WorkerPool.Task tokenPass = this::quantiseToken;
    private final WorkerPool.Task gatherPass = this::gather;
    private final WorkerPool.Task hiddenPass = this::hidden;
    private final WorkerPool.Task quantisePass = this::quantiseHidden;
    private final WorkerPool.Task downPass = this::down;
    private final WorkerPool.Task sumPass = this::sum;

    ExpertsTask(KernelSet kernels, WorkerPool pool, Scratch[] scratch) {
        this.kernels = kernels;
        this.pool = pool;
        this.scratch = scratch;
        this.tokenPanels = new Panels(kernels);
        this.pairPanels = new Panels(kernels);
        this.hiddenPanels = new Panels(kernels);
    }

    void run(Rows y, Experts experts, Rows x, Ids chosen, Rows factors) {
        gate = (Matrix) experts.gate();
        up = (Matrix) experts.up();
        down = (Matrix) experts.down();
        biases = experts.biases();
        activation = experts.activation();
        xs = x;
        ys = y;
        ids = chosen;
        weights = factors;
        gateChunkRows = chunkRows(gate);
        downChunkRows = chunkRows(down);
        int step = Math.max(1, MAX_RESULTS / Math.multiplyExact(ids.cols(), down.rows()));
        for (firstToken = 0; firstToken < x.rows(); firstToken += step) {
            tokens = Math.min(step, x.rows() - firstToken);
            int usedExperts = sort();
            single = tokens == 1 && usedExperts == pairs();
            quantiseTokens(usedExperts);
            pool.run(usedExperts * Math.ceilDiv(gate.rows(), gateChunkRows), hiddenPass);
            hiddenPanels.begin();
            hiddenPanels.want(down, pairs());
            if (hiddenPanels.any()) {
                pool.runLight(usedExperts, pairs() * down.cols(), quantisePass);
            } else if (isRounded(down)) {
                for (int i = 0; i < pairs(); i++) {
                    Rounding.row(gates, hiddenAt[i], gates, hiddenAt[i], down.cols());
                }
            }
            pool.run(usedExperts * Math.ceilDiv(down.rows(), downChunkRows), downPass);
            pool.run(tokens, sumPass);
        }
    }

    private static int chunkRows(Matrix w) {
        long rows = CHUNK_BYTES / w.type().rowBytes(w.cols());
        return Math.clamp(rows & -CHUNK_ROWS, CHUNK_ROWS, MAX_CHUNK_ROWS);
    }

    private int pairs() {
        return tokens * ids.cols();
    }

    /// A counting sort, stable; returns how many experts are in use.
    private int sort() {
        int pairs = pairs();
        int experts = gate.slices();
        int[] e = HostBuffer.ints(ids);
        int at = ids.offset() + firstToken * ids.cols();
        starts = Scratch.atLeast(starts, experts + 1);
        used = Scratch.atLeast(used, experts);
        tokenOf = Scratch.atLeast(tokenOf, pairs);
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
            tokenOf[i] = p / ids.cols();
            xAt[i] = xs.offset() + (firstToken + tokenOf[i]) * xs.stride();
            hiddenAt[i] = i * gate.rows();
            resultAt[i] = p * down.rows();
        }
        // Each start has moved to the next one's place.
        System.arraycopy(starts, 0, starts, 1, experts);
        starts[0] = 0;
        return n;
    }

    /// Leaves the rows of `xs` in the forms that gate and up want: of a single token by itself, of more in tiles by
    /// expert.
    private void quantiseTokens(int usedExperts) {
        if (isRounded(gate) || isRounded(up)) {
            roundTokens();
        }
        tokenPanels.begin();
        tokenPanels.want(gate, tokens);
        tokenPanels.want(up, tokens);
        if (!tokenPanels.any()) {
            return;
        }
        pool.runLight(tokens, tokens * gate.cols(), tokenPass);
        if (!single) {
            pairPanels.begin();
            pairPanels.want(gate, pairs());
            pairPanels.want(up, pairs());
            pool.runLight(usedExperts, pairs() * gate.cols(), gatherPass);
        }
    }

    /// Weights that are not packed may read rounded rows in the place of `xs`.
    private void roundTokens() {
        int n = gate.cols();
        rounded = Scratch.atLeast(rounded, tokens * n);
        for (int t = 0; t < tokens; t++) {
            Rounding.row(HostBuffer.floats(xs), xs.offset() + (firstToken + t) * xs.stride(), rounded, t * n, n);
        }
        roundedAt = Scratch.atLeast(roundedAt, pairs());
        for (int i = 0; i < pairs(); i++) {
            roundedAt[i] = tokenOf[i] * n;
        }
    }

    private static boolean isRounded(Matrix m) {
        return m instanceof CpuWeight w && w.rounded();
    }

    private void quantiseToken(int token, int thread) {
        tokenPanels.set(token, 1, 0, HostBuffer.floats(xs), xs.offset() + (firstToken + token) * xs.stride());
    }

    private void gather(int chunk, int thread) {
        int end = starts[used[chunk] + 1];
        for (int first = starts[used[chunk]]; first < end; first += Panel.TILE) {
            int count = Math.min(Panel.TILE, end - first);
            for (int slot = 0; slot < count; slot++) {
                pairPanels.copy(first, count, slot, tokenPanels, tokenOf[first + slot]);
            }
        }
    }

    private void quantiseHidden(int chunk, int thread) {
        int end = starts[used[chunk] + 1];
        for (int first = starts[used[chunk]]; first < end; first += Panel.TILE) {
            int count = Math.min(Panel.TILE, end - first);
            for (int slot = 0; slot < count; slot++) {
                hiddenPanels.set(first, count, slot, gates, hiddenAt[first + slot]);
            }
        }
    }

    private void hidden(int chunk, int thread) {
        int perExpert = Math.ceilDiv(gate.rows(), gateChunkRows);
        int expert = used[chunk / perExpert];
        int from = chunk % perExpert * gateChunkRows;
        int count = Math.min(gateChunkRows, gate.rows() - from);
        int first = starts[expert];
        int pairs = starts[expert + 1] - first;
        ofTokens(gate, expert, from, count, gates, first, pairs, scratch[thread]);
        ofTokens(up, expert, from, count, ups, first, pairs, scratch[thread]);
        if (biases != null) {
            addBias(gates, hiddenAt, (CpuWeight) biases.gate(), expert, from, count, first, pairs);
            addBias(ups, hiddenAt, (CpuWeight) biases.up(), expert, from, count, first, pairs);
        }
        for (int i = first; i < first + pairs; i++) {
            int o = hiddenAt[i] + from;
            Elementwise.glu(activation, gates, o, gates, o, ups, o, count);
        }
    }

    /// {@link #products} of gate or up.
    private void ofTokens(Matrix w, int expert, int from, int count, float[] y, int first, int pairs, Scratch mine) {
        float[] x = isRounded(w) ? rounded : HostBuffer.floats(xs);
        int[] at = isRounded(w) ? roundedAt : xAt;
        Panels panels = single ? tokenPanels : pairPanels;
        products(w, expert, from, count, x, at, panels, y, hiddenAt, first, pairs, mine);
    }

    private void down(int chunk, int thread) {
        int perExpert = Math.ceilDiv(down.rows(), downChunkRows);
        int expert = used[chunk / perExpert];
        int from = chunk % perExpert * downChunkRows;
        int count = Math.min(downChunkRows, down.rows() - from);
        int first = starts[expert];
        int pairs = starts[expert + 1] - first;
        products(
                down,
                expert,
                from,
                count,
                gates,
                hiddenAt,
                hiddenPanels,
                results,
                resultAt,
                first,
                pairs,
                scratch[thread]);
        if (biases != null) {
            addBias(results, resultAt, (CpuWeight) biases.down(), expert, from, count, first, pairs);
        }
    }

    /// Rows `from` to `from + count - 1` of an expert with its pairs, as floats or in the panel that the weight wants.
    /// `from` is a multiple of sixteen.
    private void products(
            Matrix w,
            int expert,
            int from,
            int count,
            float[] x,
            int[] at,
            Panels panels,
            float[] y,
            int[] yAt,
            int first,
            int pairs,
            Scratch mine) {
        switch (w) {
            case CpuWeight plain -> Products.rows(plain, expert, from, count, x, at, y, yAt, first, pairs, mine);
            case PackedWeight packed -> {
                Panel panel = panels.of(packed);
                int group = from / PackedType.ROWS;
                int groups = Math.ceilDiv(count, PackedType.ROWS);
                for (int i = first; i < first + pairs; i += Panel.TILE) {
                    int n = Math.min(Panel.TILE, first + pairs - i);
                    int tile = panels == tokenPanels ? 0 : i;
                    kernels.matmul(packed, expert, group, groups, panel, tile, n, y, yAt, i, mine);
                }
            }
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

    @Override
    public void close() {
        tokenPanels.close();
        pairPanels.close();
        hiddenPanels.close();
    }
}
