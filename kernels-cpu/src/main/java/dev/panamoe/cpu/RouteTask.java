package dev.panamoe.cpu;

import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spec.RouterSpec.Gating;
import dev.panamoe.spec.RouterSpec.GroupScore;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import org.jspecify.annotations.Nullable;

/// The choice of experts; a chunk is a token. Plain code in double: some hundreds of values a token.
final class RouteTask implements WorkerPool.Task {
    /// Added to a sum before dividing by it, as the reference does.
    private static final double TINY = 1e-20;

    private final Scratch[] scratch;
    private RouterSpec spec = RouterSpec.softmaxTopK(1, 1);
    private float @Nullable [] bias;
    private float @Nullable [] expertScale;
    private Ids ids = CpuOps.NO_IDS;
    private Rows weights = CpuOps.NO_ROWS;
    private Rows logits = CpuOps.NO_ROWS;

    RouteTask(Scratch[] scratch) {
        this.scratch = scratch;
    }

    void run(WorkerPool pool, Ids chosen, Rows factors, Rows z, Router router) {
        spec = router.spec();
        bias = values(router.selectionBias());
        expertScale = values(router.expertScale());
        ids = chosen;
        weights = factors;
        logits = z;
        pool.run(z.rows(), this);
    }

    private static float @Nullable [] values(@Nullable Weight w) {
        return w == null ? null : ((CpuVector) w).values();
    }

    @Override
    public void run(int token, int thread) {
        int n = spec.experts();
        int groups = spec.groups();
        Scratch mine = scratch[thread];
        if (mine.routing.length < 2 * n + groups) {
            mine.routing = new double[2 * n + groups];
        }
        double[] work = mine.routing;
        scores(token, work, n);
        for (int e = 0; e < n; e++) {
            double biased = bias == null ? work[e] : work[e] + bias[e];
            work[n + e] = Double.isNaN(biased) ? Double.NEGATIVE_INFINITY : biased;
        }
        if (spec.groupsUsed() < groups) {
            dropGroups(work, n, groups);
        }
        int[] chosen = HostBuffer.ints(ids);
        int at = ids.offset() + token * ids.cols();
        double sum = 0;
        for (int j = 0; j < spec.used(); j++) {
            int best = takeLargest(work, n, n);
            chosen[at + j] = best;
            sum += work[best];
        }
        float[] out = HostBuffer.floats(weights);
        int outAt = weights.offset() + token * weights.stride();
        for (int j = 0; j < spec.used(); j++) {
            double score = work[chosen[at + j]];
            double w = (spec.normalise() ? score / (sum + TINY) : score) * spec.scale();
            out[outAt + j] = (float) (expertScale == null ? w : w * expertScale[chosen[at + j]]);
        }
    }

    private void scores(int token, double[] scores, int n) {
        float[] z = HostBuffer.floats(logits);
        int at = logits.offset() + token * logits.stride();
        if (spec.gating() == Gating.SIGMOID) {
            for (int e = 0; e < n; e++) {
                scores[e] = 1 / (1 + Math.exp(-(double) z[at + e]));
            }
            return;
        }
        double max = z[at];
        for (int e = 1; e < n; e++) {
            max = Math.max(max, z[at + e]);
        }
        double sum = 0;
        for (int e = 0; e < n; e++) {
            scores[e] = Math.exp(z[at + e] - max);
            sum += scores[e];
        }
        for (int e = 0; e < n; e++) {
            scores[e] /= sum;
        }
    }

    /// Leaves the biased scores `work[n ...]` of the best groups only.
    private void dropGroups(double[] work, int n, int groups) {
        int size = n / groups;
        for (int g = 0; g < groups; g++) {
            double best = Double.NEGATIVE_INFINITY;
            double second = Double.NEGATIVE_INFINITY;
            for (int e = n + g * size; e < n + (g + 1) * size; e++) {
                if (work[e] > best) {
                    second = best;
                    best = work[e];
                } else if (work[e] > second) {
                    second = work[e];
                }
            }
            work[2 * n + g] = spec.groupScore() == GroupScore.MAX || size == 1 ? best : best + second;
        }
        // What is taken becomes NaN, which nothing is smaller or larger than.
        for (int g = 0; g < spec.groupsUsed(); g++) {
            takeLargest(work, 2 * n, groups);
        }
        for (int g = 0; g < groups; g++) {
            if (!Double.isNaN(work[2 * n + g])) {
                for (int e = n + g * size; e < n + (g + 1) * size; e++) {
                    work[e] = Double.NEGATIVE_INFINITY;
                }
            }
        }
    }

    /// Index of the largest of `count` values from `at` on, the lowest on ties, which is then marked as taken by NaN.
    private static int takeLargest(double[] values, int at, int count) {
        int best = -1;
        for (int i = 0; i < count; i++) {
            double v = values[at + i];
            if (!Double.isNaN(v) && (best < 0 || v > values[at + best])) {
                best = i;
            }
        }
        values[at + best] = Double.NaN;
        return best;
    }
}
