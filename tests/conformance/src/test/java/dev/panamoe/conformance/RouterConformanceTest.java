package dev.panamoe.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.conformance.Lab.Bound;
import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spec.RouterSpec.Gating;
import dev.panamoe.spec.RouterSpec.GroupScore;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// The choice of experts.
@ParameterizedClass
@MethodSource("dev.panamoe.conformance.Backends#all")
class RouterConformanceTest {
    private static final Bound WEIGHT_BOUND = Bound.of(2e-6, 0);

    @Parameter
    Backend backend;

    private Lab lab;

    @BeforeEach
    void open() {
        lab = new Lab(backend);
    }

    @AfterEach
    void close() {
        lab.close();
    }

    /// Every gating, grouping and scaling that models use.
    private static List<RouterSpec> specs() {
        List<RouterSpec> specs = new ArrayList<>();
        for (Gating gating : Gating.values()) {
            for (boolean normalise : new boolean[] {true, false}) {
                specs.add(new RouterSpec(24, 5, gating, 1, 1, GroupScore.MAX, normalise, 1));
                for (GroupScore score : GroupScore.values()) {
                    specs.add(new RouterSpec(24, 5, gating, 6, 3, score, normalise, 2.5f));
                }
            }
        }
        specs.add(RouterSpec.softmaxTopK(3, 3));
        specs.add(new RouterSpec(6, 2, Gating.SIGMOID, 6, 2, GroupScore.TOP2_SUM, true, 1));
        return specs;
    }

    @Test
    void everyVariant() {
        for (RouterSpec spec : specs()) {
            Matrix logits = Matrix.random(9, spec.experts(), 3, 2);
            float[] bias = Matrix.random(1, spec.experts(), 4, 0.3).values();
            float[] scale = Matrix.random(1, spec.experts(), 5).values();
            for (boolean biased : new boolean[] {false, true}) {
                check(spec, logits, biased ? bias : null, biased ? null : scale);
            }
        }
    }

    /// Equal logits: equal experts and equal groups, of which the lower ids are chosen.
    @Test
    void ties() {
        for (RouterSpec spec : specs()) {
            Matrix logits = new Matrix(2, spec.experts());
            for (int e = 0; e < spec.experts(); e++) {
                logits.values()[spec.experts() + e] = e % 3;
            }
            check(spec, logits, null, null);
        }
        assertThat(ids(lab.device(), RouterSpec.softmaxTopK(40, 3), new Matrix(1, 40)))
                .containsExactly(0, 1, 2);
    }

    @Test
    void extremeLogits() {
        for (Gating gating : Gating.values()) {
            RouterSpec spec = new RouterSpec(6, 2, gating, 1, 1, GroupScore.MAX, true, 1);
            check(
                    spec,
                    new Matrix(2, 6, new float[] {-300, 1e30f, 3, 200, -1e30f, 0, -500, -501, -502, -503, -504, -505}),
                    null,
                    null);
        }
    }

    private void check(RouterSpec spec, Matrix logits, float[] bias, float[] scale) {
        lab.check(spec.toString(), WEIGHT_BOUND, d -> {
            Rows weights = Lab.empty(d, logits.rows(), spec.used(), 2, 3);
            route(d, spec, logits, bias, scale, weights);
            return Lab.read(d, weights);
        });
        for (Device d : new Device[] {lab.device()}) {
            int[] expected = route(
                    lab.reference(),
                    spec,
                    logits,
                    bias,
                    scale,
                    Lab.empty(lab.reference(), logits.rows(), spec.used(), 2, 3));
            int[] actual = route(d, spec, logits, bias, scale, Lab.empty(d, logits.rows(), spec.used(), 2, 3));
            assertThat(actual).as("%s, bias %s", spec, Arrays.toString(bias)).isEqualTo(expected);
        }
    }

    private static int[] ids(Device d, RouterSpec spec, Matrix logits) {
        return route(d, spec, logits, null, null, Lab.empty(d, logits.rows(), spec.used(), 0, 0));
    }

    private static int[] route(Device d, RouterSpec spec, Matrix logits, float[] bias, float[] scale, Rows weights) {
        Ids ids = Lab.ids(d, logits.rows(), spec.used());
        Weight b = bias == null ? null : d.upload(Weights.vector(bias), WeightUse.VECTOR);
        Weight s = scale == null ? null : d.upload(Weights.vector(scale), WeightUse.VECTOR);
        d.ops().route(ids, weights, Lab.place(d, logits, 1, 2), new Router(spec, b, s));
        return Lab.read(d, ids);
    }
}
