package dev.panamoe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.engine.Profile.Operation;
import dev.panamoe.engine.Profile.Phase;
import dev.panamoe.reference.ReferenceProvider;
import dev.panamoe.spec.Activation;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer.Kind;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a profile says that operations need, against numbers worked out by hand.
class ProfiledOpsTest {
    private final Device device =
            new ReferenceProvider().open(new DeviceInfo("reference", "", 0, List.of()), DeviceOptions.DEFAULT);
    private final ProfiledOps ops = new ProfiledOps(device, device.ops());

    private Weight weight(String name, WeightUse use, Shape shape) {
        float[] values = new float[(int) shape.size()];
        java.util.Arrays.fill(values, 0.5f);
        return device.upload(new TensorView(name, QuantType.F32, shape, MemorySegment.ofArray(values)), use);
    }

    private Rows rows(int rows, int cols) {
        return Rows.of(device.allocate(Kind.F32, (long) rows * cols), rows, cols);
    }

    private Ids ids(int rows, int cols, int... values) {
        Ids ids = Ids.of(device.allocate(Kind.I32, (long) rows * cols), rows, cols);
        device.write(ids, values);
        return ids;
    }

    private void embed(int... tokens) {
        Weight table = weight("token_embd.weight", WeightUse.EMBED, Shape.of(2, 4));
        ops.embed(rows(tokens.length, 2), table, ids(tokens.length, 1, tokens), 1);
    }

    private static Operation find(Phase phase, String name) {
        return phase.operations().stream()
                .filter(o -> o.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /// A method of the interface with a body of its own would compute without being measured.
    @Test
    void everyOperationIsMeasured() throws ReflectiveOperationException {
        for (Method m : Ops.class.getMethods()) {
            assertThat(ProfiledOps.class
                            .getMethod(m.getName(), m.getParameterTypes())
                            .getDeclaringClass())
                    .as("%s", m)
                    .isEqualTo(ProfiledOps.class);
        }
    }

    @Test
    void productsOfAllLayersAreOneRowAndATiedEmbeddingIsTheOutput() {
        embed(1);
        Rows x = rows(1, 2);
        ops.matmul(rows(1, 3), weight("blk.0.attn_q.weight", WeightUse.MATMUL, Shape.of(2, 3)), x);
        ops.matmul(rows(1, 3), weight("blk.11.attn_q.weight", WeightUse.MATMUL, Shape.of(2, 3)), x);
        ops.matmul(rows(1, 4), weight("token_embd.weight", WeightUse.MATMUL, Shape.of(2, 4)), x);
        Phase phase = ops.result().phases().getFirst();
        Operation q = find(phase, "attn_q");
        assertThat(q.calls()).isEqualTo(2);
        assertThat(q.bytes()).isEqualTo(2 * 4 * (6 + 2 + 3));
        assertThat(q.flops()).isEqualTo(2 * 2 * 6);
        assertThat(q.streams()).isTrue();
        assertThat(find(phase, "output").flops()).isEqualTo(2 * 8);
        assertThat(find(phase, "embed").bytes()).isEqualTo(8 + 8);
    }

    @Test
    void operationsThatDoSeveralAtOnceCountWhatTheyReadAndWrite() {
        embed(1);
        Weight norm = weight("blk.0.post_attention_norm.weight", WeightUse.VECTOR, Shape.of(4));
        Rows x = rows(1, 4);
        ops.addRmsNorm(x, rows(1, 4), norm, 1, List.of(rows(1, 4), rows(1, 4)), List.of(norm, norm), 1e-6f);
        Phase phase = ops.result().phases().getFirst();
        // x and the branch are read and written, two norms written.
        assertThat(find(phase, "addRmsNorm").bytes()).isEqualTo((4 + 2) * 4 * 4);
        ops.addRmsNorm(x, rows(1, 4), null, 1, List.of(), List.of(), 1e-6f);
        phase = ops.result().phases().getFirst();
        assertThat(find(phase, "addRmsNorm").bytes()).isEqualTo((4 + 2 + 3) * 4 * 4);

        List<HeadRows> heads = List.of(HeadRows.of(rows(1, 8), 2, 2), HeadRows.of(rows(1, 4), 1, 2));
        HeadSteps steps = new HeadSteps(null, true, norm, null);
        ops.prepareHeads(heads, List.of(steps, steps), ids(1, 1, 0), 1e-6f);
        ops.prepareHeads(heads, List.of(steps), ids(1, 1, 0), 1e-6f);
        phase = ops.result().phases().getFirst();
        assertThat(find(phase, "prepareHeads").bytes()).isEqualTo(2 * (8 + 4 + 8) * 4);
        assertThat(find(phase, "prepareHeads").calls()).isEqualTo(2);
    }

    @Test
    void passesOfOneRowAndOfManyAreApart() {
        embed(1, 2, 3);
        ops.add(rows(3, 2), rows(3, 2));
        embed(1);
        embed(2);
        Profile profile = ops.result();
        assertThat(profile.phases()).extracting(Phase::generation).containsExactly(false, true);
        assertThat(profile.phases()).extracting(Phase::passes).containsExactly(1L, 2L);
        assertThat(profile.phases()).extracting(Phase::tokens).containsExactly(3L, 2L);
        Operation add = find(profile.phases().getFirst(), "add");
        assertThat(add.bytes()).isEqualTo(3 * 2 * 4 * 3);
        assertThat(add.streams()).isFalse();
        for (Phase phase : profile.phases()) {
            assertThat(phase.betweenNanos()).isNotNegative();
        }
    }

    @Test
    void ofExpertsOnlyTheChosenCountAndEachOnce() {
        Experts experts = new Experts(
                weight("g", WeightUse.EXPERTS, Shape.of(2, 3, 8)),
                weight("u", WeightUse.EXPERTS, Shape.of(2, 3, 8)),
                weight("d", WeightUse.EXPERTS, Shape.of(3, 2, 8)),
                Activation.SILU);
        embed(1, 2);
        ops.experts(rows(2, 2), experts, rows(2, 2), ids(2, 2, 5, 1, 1, 7), rows(2, 2));
        Operation o = find(ops.result().phases().getFirst(), "experts");
        assertThat(o.bytes()).isEqualTo(3 * (3 * 6 * 4) + 2 * (2 * 2 * 4));
        assertThat(o.flops()).isEqualTo(2 * 4 * (3 * 6));
    }

    @Test
    void attentionReadsWhatItsRowsSee() {
        CacheSpec spec = new CacheSpec(1, 4, 4, false, 16, CacheType.F16);
        embed(1, 2);
        try (KvCache cache = device.allocateCache(spec)) {
            for (int p = 0; p < 8; p += 2) {
                ops.kvAppend(cache, rows(2, 4), rows(2, 4), ids(2, 1, p, p + 1));
            }
            // Positions 6 and 7 with two heads: everything before, 7 + 8 pairs; with a window of 3, 3 + 3 of 4
            // positions.
            ops.attention(rows(4, 4), rows(4, 4), cache, ids(2, 1, 6, 7), new Attention(2, 1, 0));
            Operation all = find(ops.result().phases().getFirst(), "attention");
            assertThat(all.bytes()).isEqualTo(8 * (2 * 4 * 2) + 2 * (4 * 4 * 4));
            assertThat(all.flops()).isEqualTo(2 * 15 * 2 * 8);
            ops.attention(rows(4, 4), rows(4, 4), cache, ids(2, 1, 6, 7), new Attention(2, 1, 3));
            Operation both = find(ops.result().phases().getFirst(), "attention");
            assertThat(both.bytes() - all.bytes()).isEqualTo(4 * (2 * 4 * 2) + 2 * (4 * 4 * 4));
            assertThat(both.flops() - all.flops()).isEqualTo(2 * 6 * 2 * 8);
        }
    }
}
