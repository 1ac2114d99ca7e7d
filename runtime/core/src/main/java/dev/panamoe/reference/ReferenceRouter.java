package dev.panamoe.reference;

import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spec.RouterSpec.Gating;
import dev.panamoe.spec.RouterSpec.GroupScore;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Weight;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The choice of experts for one token, see {@link RouterSpec}.
final class ReferenceRouter {
    /// Added to a sum before dividing by it, as the DeepSeek V3 reference does.
    private static final double TINY = 1e-20;

    private final RouterSpec spec;
    private final float @Nullable [] selectionBias;
    private final float @Nullable [] expertScale;

    ReferenceRouter(Router router) {
        this.spec = router.spec();
        this.selectionBias = vector(router.selectionBias());
        this.expertScale = vector(router.expertScale());
    }

    private static float @Nullable [] vector(@Nullable Weight w) {
        return w == null ? null : ReferenceWeight.of(w).vector();
    }

    double[] scores(double[] logits) {
        if (spec.gating() == Gating.SIGMOID) {
            return Arrays.stream(logits).map(z -> 1 / (1 + Math.exp(-z))).toArray();
        }
        double max = Arrays.stream(logits).max().orElseThrow();
        double[] e = Arrays.stream(logits).map(z -> Math.exp(z - max)).toArray();
        double sum = Arrays.stream(e).sum();
        return Arrays.stream(e).map(x -> x / sum).toArray();
    }

    int[] choose(double[] scores) {
        double[] biased = scores.clone();
        for (int e = 0; e < biased.length && selectionBias != null; e++) {
            biased[e] += selectionBias[e];
        }
        int groupSize = spec.experts() / spec.groups();
        double[] groupScores = IntStream.range(0, spec.groups())
                .mapToDouble(g -> groupScore(Arrays.copyOfRange(biased, g * groupSize, (g + 1) * groupSize)))
                .toArray();
        int[] groups = largest(groupScores, spec.groupsUsed());
        for (int e = 0; e < biased.length; e++) {
            int group = e / groupSize;
            if (Arrays.stream(groups).noneMatch(g -> g == group)) {
                biased[e] = Double.NEGATIVE_INFINITY;
            }
        }
        return largest(biased, spec.used());
    }

    private double groupScore(double[] biased) {
        double[] sorted = biased.clone();
        Arrays.sort(sorted);
        double best = sorted[sorted.length - 1];
        return spec.groupScore() == GroupScore.MAX || sorted.length == 1 ? best : best + sorted[sorted.length - 2];
    }

    /// Indices of the `count` largest, by falling value, ties to the lower index.
    private static int[] largest(double[] values, int count) {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -values[i]).thenComparingInt(i -> i))
                .limit(count)
                .mapToInt(i -> i)
                .toArray();
    }

    double[] weights(double[] scores, int[] chosen) {
        double sum = Arrays.stream(chosen).mapToDouble(e -> scores[e]).sum() + TINY;
        double[] w = new double[chosen.length];
        for (int j = 0; j < w.length; j++) {
            w[j] = spec.normalise() ? scores[chosen[j]] / sum : scores[chosen[j]];
            w[j] *= spec.scale();
            if (expertScale != null) {
                w[j] *= expertScale[chosen[j]];
            }
        }
        return w;
    }
}
