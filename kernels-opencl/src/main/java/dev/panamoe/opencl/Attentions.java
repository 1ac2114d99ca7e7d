package dev.panamoe.opencl;

import dev.panamoe.opencl.Scratch.Part;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Launches of `attention.cl`. For few tokens the positions are shared between work-groups, for many each work-group
/// walks over them, by `attention_cpu.cl` on a CPU where that can: all give the same bits.
final class Attentions {
    /// Work-items of a work-group.
    private static final int GROUP = 256;

    /// Positions of a span.
    private static final int SPAN = 128;

    /// Query rows of a work-group: where there are many, and where there are not.
    private static final int QUERIES = 16;

    private static final int FEW_QUERIES = 4;

    /// Query rows of a work-item of `attention_cpu.cl`.
    private static final int CPU_QUERIES = 8;

    /// It takes values in vectors of 16 words.
    private static final int CPU_VALUES = 32;

    /// Up to so many tokens, positions are shared.
    private static final int FEW = 8;

    /// Values that records of spans may take where no model is known, and that few tokens have if they need them: 8
    /// MiB.
    private static final long ALWAYS = 1L << 21;

    private final ClDevice device;
    private final Kernels kernels;
    private final Scratch scratch;
    private final long queue;

    /// Of the layer that has most; 0 before a model is known.
    private int heads;

    /// Constants that the kernels are specialised to: those for few query rows, for many, for what stores, and for many
    /// tokens on a CPU.
    private final Map<CacheSpec, String> few = new HashMap<>();
    private final Map<CacheSpec, String> many = new HashMap<>();
    private final Map<CacheSpec, String> appends = new HashMap<>();
    private final Map<CacheSpec, String> cpu = new HashMap<>();

    Attentions(ClDevice device, Kernels kernels, Scratch scratch, long queue) {
        this.device = device;
        this.kernels = kernels;
        this.scratch = scratch;
        this.queue = queue;
    }

    /// See {@link dev.panamoe.spi.Ops#kvAppend}.
    void append(OpenClCache cache, Rows k, @Nullable Rows v, Ids positions) {
        Rows values = v == null ? k : v;
        String text = appends.computeIfAbsent(cache.spec(), Attentions::appendOptions);
        cache.give(kernels.get("kv_append", "attention.cl", null, text))
                .buffer(OpenClBuffer.of(k))
                .value(k.offset())
                .value(k.stride())
                .buffer(OpenClBuffer.of(values))
                .value(values.offset())
                .value(values.stride())
                .buffer(OpenClBuffer.of(positions))
                .value(positions.offset())
                .launch(queue, GROUP, Math.ceilDiv(cache.wordsOfPosition(), GROUP), positions.rows(), 1);
    }

    /// See {@link dev.panamoe.spi.Ops#attention}.
    void attention(Rows out, Rows q, OpenClCache cache, Ids positions, Attention a) {
        CacheSpec c = cache.spec();
        int tokens = positions.rows();
        int rows = tokens * (a.heads() / c.kvHeads());
        int queries = queries(rows);
        String options = options(c, queries);
        int sinked = a.sinks() == null ? 0 : 1;
        long sinks = a.sinks() == null ? OpenClBuffer.of(q) : OpenClWeight.vector(a.sinks());
        int blocks = Math.ceilDiv(rows, queries);
        int spans = spans(positions, a.window(), c.capacity());
        long recordValues = recordValues(q.rows(), spans, c);
        if (tokens > FEW || spans == 1 || !mayTake(recordValues)) {
            boolean vectors = vectors(c);
            Kernel k = vectors
                    ? kernels.get(
                            "attention",
                            "quant.inc attention_cpu.cl",
                            c.type().storage(),
                            cpu.computeIfAbsent(c, Attentions::cpuOptions))
                    : kernel("attention", options);
            k.buffer(OpenClBuffer.of(out)).value(out.offset()).value(out.stride());
            give(k, q, cache, positions, a)
                    .value(sinked)
                    .buffer(sinks)
                    .launch(
                            queue,
                            vectors ? 1 : GROUP,
                            vectors ? Math.ceilDiv(rows, CPU_QUERIES) : blocks,
                            c.kvHeads(),
                            1);
            return;
        }
        long records = scratch.of(Part.SPANS, recordValues);
        Kernel split = kernel("attention_split", options);
        split.buffer(records).value(spans);
        give(split, q, cache, positions, a).launch(queue, GROUP, spans, blocks, c.kvHeads());
        kernel("attention_merge", options)
                .buffer(OpenClBuffer.of(out))
                .value(out.offset())
                .value(out.stride())
                .buffer(records)
                .value(spans)
                .buffer(OpenClBuffer.of(positions))
                .value(positions.offset())
                .value(a.heads())
                .value(a.window())
                .value(sinked)
                .buffer(sinks)
                .launch(queue, GROUP, q.rows(), 1, 1);
    }

    /// Parts of the softmax that spans of positions leave: a vector of values, its maximum and its sum.
    private static long recordValues(int queryRows, int spans, CacheSpec c) {
        return (long) queryRows * spans * (c.valueSize() + 2);
    }

    /// Several tokens far into a long context would take as many times what is there for one.
    private boolean mayTake(long values) {
        return heads == 0 ? values <= ALWAYS : scratch.holds(Part.SPANS, values);
    }

    /// Notes the most heads of any layer, by which {@link #reserve} counts.
    void useModel(ModelSpec spec) {
        heads = mostHeads(spec);
    }

    private static int mostHeads(ModelSpec spec) {
        return spec.layers().stream()
                .mapToInt(layer -> layer.attention().heads())
                .max()
                .orElse(0);
    }

    /// Takes what one token needs at the end of such a cache, and what few tokens need if that is little.
    void reserve(CacheSpec cache) {
        if (heads > 0) {
            scratch.reserve(Part.SPANS, reservedValues(heads, cache));
        }
    }

    private static long reservedValues(int heads, CacheSpec cache) {
        long one = recordValues(heads, Math.ceilDiv(cache.capacity(), SPAN) + 1, cache);
        return Math.max(one, Math.min(ALWAYS, FEW * one));
    }

    /// Bytes that {@link #reserve} would take for all of these caches, beside what is there.
    long attentionBytes(ModelSpec spec, List<CacheSpec> caches) {
        int most = mostHeads(spec);
        long values = caches.stream()
                .mapToLong(cache -> reservedValues(most, cache))
                .max()
                .orElse(0);
        return scratch.missingBytes(Part.SPANS, values);
    }

    /// Gives a kernel what both ways take alike.
    private static Kernel give(Kernel k, Rows q, OpenClCache cache, Ids positions, Attention a) {
        k.buffer(OpenClBuffer.of(q)).value(q.offset()).value(q.stride());
        return cache.give(k)
                .buffer(OpenClBuffer.of(positions))
                .value(positions.offset())
                .value(positions.rows())
                .value(a.scale())
                .value(a.heads())
                .value(a.heads() / cache.spec().kvHeads())
                .value(a.window());
    }

    /// How many spans the tokens see together: exactly where the host knows their positions, else at most.
    private static int spans(Ids positions, int window, int capacity) {
        int last = OpenClBuffer.largest(positions);
        if (last >= 0) {
            int first = window == 0 ? 0 : Math.max(0, last - positions.rows() - window + 2);
            return last / SPAN - first / SPAN + 1;
        }
        // Without a window no position is beyond the capacity.
        return window == 0 ? Math.ceilDiv(capacity, SPAN) : Math.ceilDiv(positions.rows() + window - 1, SPAN) + 1;
    }

    /// Query rows of a work-group: two sizes, as each is a program of its own.
    private int queries(int rows) {
        return rows <= FEW_QUERIES || device.isCpu() ? FEW_QUERIES : QUERIES;
    }

    private Kernel kernel(String name, String options) {
        return kernels.get(name, "attention.cl", null, options);
    }

    private String options(CacheSpec c, int queries) {
        Map<CacheSpec, String> known = queries == FEW_QUERIES ? few : many;
        String options = known.get(c);
        if (options == null) {
            options = cacheOptions(c) + (vectors(c) ? " -D SPLIT" : "") + " -D QUERIES=" + queries + " -D SPAN=" + SPAN;
            known.put(c, options);
        }
        return options;
    }

    /// Whether `attention_cpu.cl` computes it.
    private boolean vectors(CacheSpec c) {
        return device.isCpu()
                && c.type().storage().blockSize() == 1
                && !c.valuesInKeys()
                && c.valueSize() % CPU_VALUES == 0;
    }

    private static String cpuOptions(CacheSpec c) {
        return "-D WIDTH=16 -D KEY_SIZE=" + c.keySize() + " -D VALUE_SIZE=" + c.valueSize() + " -D SPAN=" + SPAN;
    }

    private static String appendOptions(CacheSpec c) {
        return cacheOptions(c) + " -D APPEND -D QUERIES=" + FEW_QUERIES + " -D KV_HEADS=" + c.kvHeads();
    }

    private static String cacheOptions(CacheSpec c) {
        return "-D CACHE_TYPE=" + c.type().storage().id()
                + " -D KEY_SIZE=" + c.keySize()
                + " -D VALUE_SIZE=" + c.valueSize()
                + " -D VALUES_IN_KEYS=" + (c.valuesInKeys() ? 1 : 0);
    }
}
