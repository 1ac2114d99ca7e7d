package dev.panamoe.conformance;

import static dev.panamoe.conformance.Lab.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.conformance.Lab.Bound;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/// Caches and attention.
@ParameterizedClass
@MethodSource("dev.panamoe.conformance.Backends#all")
class AttentionConformanceTest {
    /// Values are about one; a result is their weighted mean.
    private static final Bound BOUND = Bound.of(0, 5e-6);

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

    /// A history of `past` tokens that is stored token by token, then a batch of `batch` tokens.
    /// With sinks when there are any.
    private record Case(CacheSpec cache, int heads, int window, int past, int batch, List<Float> sinks) {
        Case(CacheSpec cache, int heads, int window, int past, int batch) {
            this(cache, heads, window, past, batch, List.of());
        }

        Matrix keys() {
            return Matrix.random(past + batch, cache.kvHeads() * cache.keySize(), 1);
        }

        Matrix values() {
            return Matrix.random(past + batch, cache.kvHeads() * cache.valueSize(), 2);
        }

        Matrix queries() {
            return Matrix.random(batch * heads, cache.keySize(), 3);
        }

        /// The batch's results.
        Matrix on(Device d) {
            try (KvCache kv = d.allocateCache(cache)) {
                for (int from = 0; from < past; from += 7) {
                    append(d, kv, from, Math.min(7, past - from));
                }
                append(d, kv, past, batch);
                return attend(d, kv, past, batch);
            }
        }

        /// The same with one token after the other.
        Matrix oneByOne(Device d) {
            Matrix all = new Matrix(batch * heads, cache.valueSize());
            try (KvCache kv = d.allocateCache(cache)) {
                for (int t = 0; t < past + batch; t++) {
                    append(d, kv, t, 1);
                    if (t >= past) {
                        float[] one = attend(d, kv, t, 1).values();
                        System.arraycopy(one, 0, all.values(), (t - past) * one.length, one.length);
                    }
                }
            }
            return all;
        }

        private void append(Device d, KvCache kv, int from, int count) {
            Rows k = Lab.place(d, keys().rows(from, count), 3, 2);
            Rows v = cache.valuesInKeys() ? null : Lab.place(d, values().rows(from, count), 1, 0);
            d.ops()
                    .kvAppend(
                            kv,
                            k,
                            v,
                            Lab.ids(
                                    d,
                                    count,
                                    1,
                                    IntStream.range(from, from + count).toArray()));
        }

        private Matrix attend(Device d, KvCache kv, int from, int count) {
            Rows q = Lab.place(d, queries().rows((from - past) * heads, count * heads), 2, 3);
            Rows out = Lab.empty(d, count * heads, cache.valueSize(), 4, 1);
            int[] positions = IntStream.range(from, from + count).toArray();
            float scale = (float) (1 / Math.sqrt(cache.keySize()));
            Weight own = sinks.isEmpty() ? null : d.upload(Weights.vector(floats(sinks)), WeightUse.VECTOR);
            d.ops().attention(out, q, kv, Lab.ids(d, count, 1, positions), new Attention(heads, scale, window, own));
            return Lab.read(d, out);
        }
    }

    private static float[] floats(List<Float> values) {
        float[] out = new float[values.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = values.get(i);
        }
        return out;
    }

    private Matrix check(Case c) {
        Matrix y = lab.check(c.toString(), BOUND, c::on);
        assertSameBits(c + ", one by one", c.oneByOne(lab.device()), y);
        return y;
    }

    private static CacheSpec cache(int kvHeads, int size, int capacity, CacheType type) {
        return new CacheSpec(kvHeads, size, size, false, capacity, type);
    }

    @Test
    void groupedHeadsAndSizes() {
        if (backend.compilesLong()) {
            check(new Case(cache(2, 64, 40, CacheType.F16), 4, 0, 33, 5));
            return;
        }
        for (CacheType type : CacheType.values()) {
            check(new Case(cache(1, 32, 9, type), 1, 0, 0, 9));
            check(new Case(cache(2, 64, 40, type), 4, 0, 33, 5));
            if (type.storage().blockSize() == 1) {
                check(new Case(cache(2, 33, 70, type), 6, 0, 61, 3));
                check(new Case(new CacheSpec(3, 24, 50, false, 12, type), 3, 0, 6, 6));
            } else {
                check(new Case(cache(2, 96, 70, type), 6, 0, 61, 3));
                check(new Case(new CacheSpec(3, 32, 160, false, 12, type), 3, 0, 6, 6));
            }
        }
    }

    @Test
    void manyQueriesOnOneKeyHead() {
        check(new Case(cache(1, 16, 40, CacheType.F16), 10, 0, 30, 4));
    }

    /// Latent attention: values are the first part of the keys.
    @Test
    void valuesInKeys() {
        if (backend.compilesLong()) {
            check(new Case(new CacheSpec(1, 72, 64, true, 40, CacheType.F16), 5, 0, 35, 3));
            return;
        }
        for (CacheType type : CacheType.values()) {
            check(new Case(new CacheSpec(1, 96, 72, true, 40, type), 5, 0, 35, 3));
            check(new Case(new CacheSpec(1, 576, 512, true, 4, type), 4, 0, 2, 2));
        }
        check(new Case(new CacheSpec(1, 72, 64, true, 40, CacheType.F16), 5, 0, 35, 3));
    }

    /// Windows smaller than, equal to and larger than the history.
    @Test
    void windows() {
        for (int window : new int[] {1, 2, 8, 32, 100}) {
            check(new Case(cache(2, 16, 75, CacheType.F32), 4, window, 70, 5));
        }
    }

    /// One more logit a head: of the size of the scores, with windows and rings, and with several heads a key.
    @Test
    void sinks() {
        List<Float> sinks = List.of(0.5f, -1f, 0f, 3f, 20f, -20f);
        for (CacheType type : CacheType.values()) {
            check(new Case(cache(2, 64, 70, type), 6, 0, 61, 5, sinks));
        }
        check(new Case(cache(3, 33, 9, CacheType.F32), 6, 0, 0, 9, sinks));
        check(new Case(cache(1, 16, 12, CacheType.F16), 6, 8, 40, 4, sinks));
        check(new Case(new CacheSpec(1, 72, 64, true, 40, CacheType.F16), 6, 0, 35, 3, sinks));
    }

    @Test
    void sinksFarAboveAndBelowTheScores() {
        CacheSpec spec = cache(1, 16, 80, CacheType.F32);
        Matrix without = check(new Case(spec, 4, 0, 70, 3));
        for (float below : new float[] {-3e38f, -1e30f, -1000, Float.NEGATIVE_INFINITY}) {
            List<Float> sinks = Collections.nCopies(4, below);
            assertSameBits("a sink of " + below, check(new Case(spec, 4, 0, 70, 3, sinks)), without);
        }
        for (float above : new float[] {200, 1e30f, 3e38f}) {
            Matrix nothing = check(new Case(spec, 4, 0, 70, 3, Collections.nCopies(4, above)));
            assertThat(nothing.values()).containsOnly(0);
        }
    }

    /// A ring that holds just the window and the batch, before and after its wrap.
    @Test
    void ring() {
        for (CacheType type : CacheType.values()) {
            for (int past : new int[] {0, 3, 7, 8, 40}) {
                check(new Case(cache(2, 32, 12, type), 4, 8, past, 5));
            }
        }
    }

    @Test
    void largeScoresPickOnePosition() {
        for (CacheType type : CacheType.values()) {
            CacheSpec spec = cache(1, 32, 8, type);
            lab.check("large scores " + type, BOUND, d -> {
                try (KvCache kv = d.allocateCache(spec)) {
                    Matrix k = new Matrix(3, 32);
                    Arrays.fill(k.values(), 32, 64, 30f);
                    Arrays.fill(k.values(), 64, 96, -30f);
                    d.ops()
                            .kvAppend(
                                    kv,
                                    Lab.place(d, k, 0, 0),
                                    Lab.place(d, Matrix.random(3, 32, 4), 0, 0),
                                    Lab.ids(d, 3, 1, 0, 1, 2));
                    Matrix q = new Matrix(1, 32);
                    Arrays.fill(q.values(), 50f);
                    Rows out = Lab.empty(d, 1, 32, 0, 0);
                    d.ops().attention(out, Lab.place(d, q, 0, 0), kv, Lab.ids(d, 1, 1, 2), new Attention(1, 1f, 0));
                    return Lab.read(d, out);
                }
            });
        }
    }

    /// Each type rounds in its way: beyond the largest half, between two steps, subnormal.
    @Test
    void everyTypeRoundsAsTheReference() {
        for (CacheType type : CacheType.values()) {
            roundsAsTheReference(type);
        }
    }

    private void roundsAsTheReference(CacheType type) {
        CacheSpec spec = cache(1, 32, 1, type);
        Matrix v = new Matrix(1, 32, new float[] {
            -0.1f,
            1e-3f,
            2,
            2.5f,
            -2.5f,
            3.5f,
            1.0039062f,
            1.0117188f,
            -1.0039062f,
            5,
            -7,
            0.03f,
            127,
            -127,
            63.5f,
            -63.5f,
            1.0004883f,
            1.0014648f,
            65504,
            65519,
            65520,
            1e9f,
            -1e9f,
            6e-5f,
            6e-8f,
            3e-8f,
            2e-8f,
            1e-30f,
            0,
            -0f,
            -3,
            0.1f
        });
        if (type.storage().blockSize() > 1) {
            // The others would lose everything beside such large ones.
            for (int i = 0; i < v.cols(); i++) {
                v.values()[i] = Math.clamp(v.values()[i], -130f, 127f);
            }
        }
        lab.check("rounding of " + type, Bound.EXACT, d -> {
            try (KvCache kv = d.allocateCache(spec)) {
                d.ops().kvAppend(kv, Lab.place(d, new Matrix(1, 32), 0, 0), Lab.place(d, v, 0, 0), Lab.ids(d, 1, 1, 0));
                Rows out = Lab.empty(d, 1, 32, 0, 0);
                d.ops()
                        .attention(
                                out,
                                Lab.place(d, new Matrix(1, 32), 0, 0),
                                kv,
                                Lab.ids(d, 1, 1, 0),
                                new Attention(1, 1f, 0));
                return Lab.read(d, out);
            }
        });
    }

    /// Two tokens, by hand: scores 0 and ln 3 give weights 1/4 and 3/4.
    @Test
    void byHand() {
        Device d = lab.device();
        try (KvCache kv = d.allocateCache(cache(1, 2, 2, CacheType.F32))) {
            Rows k = Lab.place(d, new Matrix(2, 2, new float[] {0, 0, 1, 0}), 0, 0);
            Rows v = Lab.place(d, new Matrix(2, 2, new float[] {4, 8, 0, 16}), 0, 0);
            d.ops().kvAppend(kv, k, v, Lab.ids(d, 2, 1, 0, 1));
            Rows q = Lab.place(d, new Matrix(2, 2, new float[] {9, 9, (float) Math.log(3), 5}), 0, 0);
            Rows out = Lab.empty(d, 2, 2, 0, 0);
            d.ops().attention(out, q, kv, Lab.ids(d, 2, 1, 0, 1), new Attention(1, 1f, 0));
            Matrix y = Lab.read(d, out);
            assertThat(y.values()[0]).isEqualTo(4f);
            assertThat(y.values()[1]).isEqualTo(8f);
            assertThat(y.values()[2]).isCloseTo(1f, org.assertj.core.data.Offset.offset(1e-6f));
            assertThat(y.values()[3]).isCloseTo(14f, org.assertj.core.data.Offset.offset(1e-5f));
        }
    }

    @Test
    void aCacheLargerThanMemoryIsRefused() {
        // A multiple of 32: some devices store that many positions together.
        CacheSpec spec = cache(64, 512, 1 << 30, CacheType.F16);
        assertThatThrownBy(() -> lab.device().allocateCache(spec))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining(String.valueOf(spec.byteSize()));
    }
}
