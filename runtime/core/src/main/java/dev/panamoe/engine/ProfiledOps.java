package dev.panamoe.engine;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.TensorView;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Passes operations on to a device's own and measures each: the time until it is done, and the least work that it
/// needs. What a step needs is counted from the arguments, so it is the same for every backend.
final class ProfiledOps implements Ops {
    private static final int F32 = Float.BYTES;

    private final Device device;
    private final Ops ops;
    private final Phase many = new Phase(false);
    private final Phase one = new Phase(true);
    private final IdentityHashMap<Weight, String> labels = new IdentityHashMap<>();
    private final float[] waiting = new float[1];

    private Phase phase = many;
    private boolean embedding;
    private long start;
    private long end;

    private static final class Phase {
        final boolean generation;
        final Map<String, Sum> sums = new LinkedHashMap<>();
        long passes;
        long tokens;
        long nanos;

        Phase(boolean generation) {
            this.generation = generation;
        }
    }

    private static final class Sum {
        long calls;
        long nanos;
        long bytes;
        boolean streams;
        double flops;
    }

    ProfiledOps(Device device, Ops ops) {
        this.device = device;
        this.ops = ops;
    }

    Profile result() {
        List<Profile.Phase> phases = new ArrayList<>();
        for (Phase p : List.of(many, one)) {
            if (p.passes > 0) {
                List<Profile.Operation> operations = new ArrayList<>();
                p.sums.forEach((name, s) ->
                        operations.add(new Profile.Operation(name, s.calls, s.nanos, s.bytes, s.streams, s.flops)));
                operations.sort(
                        Comparator.comparingLong(Profile.Operation::nanos).reversed());
                phases.add(new Profile.Phase(p.generation, p.passes, p.tokens, p.nanos, operations));
            }
        }
        return new Profile(phases);
    }

    private void begin() {
        start = System.nanoTime();
    }

    /// Waits for the operation.
    ///
    /// @param y some result of it
    /// @return the time since it began
    private long finish(Rows y) {
        // Reading a value waits for everything before it, on every kind of device.
        device.read(y.rows(0, 1).columns(0, 1), waiting, 0);
        return System.nanoTime() - start;
    }

    private void count(String name, long nanos, long bytes, boolean streams, double flops) {
        Sum sum = phase.sums.computeIfAbsent(name, n -> new Sum());
        sum.calls++;
        sum.nanos += nanos;
        sum.bytes += bytes;
        sum.streams |= streams;
        sum.flops += flops;
        // What lies before a pass is no part of it.
        phase.nanos += nanos + (embedding ? 0 : start - end);
        embedding = false;
        end = System.nanoTime();
    }

    private void finishAndCount(String name, Rows y, long bytes, boolean streams, double flops) {
        count(name, finish(y), bytes, streams, flops);
    }

    private static long size(Rows x) {
        return (long) F32 * x.rows() * x.cols();
    }

    private static long size(Weight w) {
        return TensorView.byteSize(w.type(), w.shape());
    }

    /// `attn_q` of `blk.3.attn_q.weight`.
    private String label(Weight w) {
        return labels.computeIfAbsent(
                w, k -> k.name().replaceFirst("^blk\\.\\d+\\.", "").replaceFirst("\\.(weight|bias)(\\[\\w+])?$", "$2"));
    }

    /// A tied model has no output matrix of its own.
    private String product(Weight w) {
        String label = label(w);
        return label.equals("token_embd") ? "output" : label;
    }

    @Override
    public void embed(Rows y, Weight w, Ids tokens, float scale) {
        // Per-layer embeddings are a second table, read right behind the first.
        if (!label(w).startsWith("per_layer")) {
            phase = tokens.rows() == 1 ? one : many;
            phase.passes++;
            phase.tokens += tokens.rows();
            embedding = true;
        }
        begin();
        ops.embed(y, w, tokens, scale);
        finishAndCount("embed", y, y.rows() * w.type().rowBytes(w.shape().cols()) + size(y), true, 0);
    }

    @Override
    public void rmsNorm(Rows y, Rows x, @Nullable Weight w, float eps) {
        begin();
        ops.rmsNorm(y, x, w, eps);
        finishAndCount("rmsNorm", y, size(x) + size(y), false, 0);
    }

    @Override
    public void matmul(Rows y, Weight w, Rows x) {
        begin();
        ops.matmul(y, w, x);
        finishAndCount(
                product(w),
                y,
                size(w) + size(x) + size(y),
                true,
                2.0 * x.rows() * w.shape().size());
    }

    @Override
    public void matmulAll(List<Rows> ys, List<Weight> ws, Rows x) {
        begin();
        ops.matmulAll(ys, ws, x);
        Rows last = ys.get(ws.size() - 1);
        long nanos = finish(last);
        long bytes = size(x);
        double products = 0;
        StringJoiner name = new StringJoiner("+");
        for (int i = 0; i < ws.size(); i++) {
            name.add(product(ws.get(i)));
            bytes += size(ws.get(i)) + size(ys.get(i));
            products += (double) x.rows() * ws.get(i).shape().size();
        }
        count(name.toString(), nanos, bytes, true, 2 * products);
    }

    @Override
    public void gatedMatmul(Rows y, Rows scratch, Weight gate, Weight up, Rows x, Activation activation) {
        begin();
        ops.gatedMatmul(y, scratch, gate, up, x, activation);
        double products = (double) x.rows() * (gate.shape().size() + up.shape().size());
        finishAndCount(
                product(gate) + "+" + product(up), y, size(gate) + size(up) + size(x) + size(y), true, 2 * products);
    }

    @Override
    public void addRmsNorm(
            Rows x,
            Rows branch,
            @Nullable Weight branchNorm,
            float scale,
            List<Rows> ys,
            List<Weight> norms,
            float eps) {
        begin();
        ops.addRmsNorm(x, branch, branchNorm, scale, ys, norms, eps);
        int branchPasses = branchNorm == null ? 1 : 2;
        finishAndCount("addRmsNorm", x, (2 + branchPasses + norms.size()) * size(x), false, 0);
    }

    @Override
    public void prepareHeads(List<HeadRows> heads, List<HeadSteps> steps, Ids positions, float eps) {
        begin();
        ops.prepareHeads(heads, steps, positions, eps);
        long nanos = finish(heads.get(steps.size() - 1).rows());
        long bytes = 0;
        for (int i = 0; i < steps.size(); i++) {
            bytes += 2 * size(heads.get(i).rows());
        }
        count("prepareHeads", nanos, bytes, false, 0);
    }

    @Override
    public void matmulPerHead(Rows y, Weight w, Rows x) {
        begin();
        ops.matmulPerHead(y, w, x);
        double products = (double) x.rows() / w.shape().slices() * w.shape().size();
        finishAndCount(product(w), y, size(w) + size(x) + size(y), true, 2 * products);
    }

    @Override
    public void addBias(Rows y, Weight bias) {
        begin();
        ops.addBias(y, bias);
        finishAndCount("addBias", y, 2 * size(y), false, 0);
    }

    @Override
    public void rope(Rows x, Ids positions, Rope rope) {
        begin();
        ops.rope(x, positions, rope);
        finishAndCount("rope", x, 2 * size(x), false, 0);
    }

    @Override
    public void kvAppend(KvCache cache, Rows k, @Nullable Rows v, Ids positions) {
        begin();
        ops.kvAppend(cache, k, v, positions);
        finishAndCount(
                "kvAppend",
                k,
                size(k) + (v == null ? 0 : size(v)) + positions.rows() * positionBytes(cache.spec()),
                false,
                0);
    }

    private static long positionBytes(CacheSpec spec) {
        return spec.kvHeads() * (spec.keyBytes() + spec.valueBytes());
    }

    @Override
    public void attention(Rows out, Rows q, KvCache cache, Ids positions, Attention attention) {
        begin();
        ops.attention(out, q, cache, positions, attention);
        long nanos = finish(out);
        CacheSpec spec = cache.spec();
        int[] at = new int[positions.rows()];
        device.read(positions, at);
        long pairs = 0;
        for (int position : at) {
            pairs += seen(position, attention.window());
        }
        // Of positions that ascend by one, the first sees furthest back.
        long read = at[at.length - 1] - at[0] + seen(at[0], attention.window());
        double flops = 2.0 * pairs * attention.heads() * (spec.keySize() + spec.valueSize());
        count("attention", nanos, read * positionBytes(spec) + size(q) + size(out), true, flops);
    }

    private static long seen(int position, int window) {
        return window == 0 ? position + 1L : Math.min(position + 1L, window);
    }

    @Override
    public void route(Ids ids, Rows weights, Rows logits, Router router) {
        begin();
        ops.route(ids, weights, logits, router);
        finishAndCount(
                "route",
                weights,
                size(logits) + size(weights) + (long) Integer.BYTES * ids.rows() * ids.cols(),
                false,
                0);
    }

    @Override
    public void experts(Rows y, Experts experts, Rows x, Ids ids, Rows weights) {
        begin();
        ops.experts(y, experts, x, ids, weights);
        long nanos = finish(y);
        int[] chosen = new int[ids.rows() * ids.cols()];
        device.read(ids, chosen);
        BitSet distinct = new BitSet();
        for (int expert : chosen) {
            distinct.set(expert);
        }
        long all = experts.gate().shape().slices();
        long bytes = 0;
        double products = 0;
        for (Weight w : List.of(experts.gate(), experts.up(), experts.down())) {
            bytes += size(w) / all * distinct.cardinality();
            products += (double) w.shape().size() / all * chosen.length;
        }
        count("experts", nanos, bytes + size(x) + size(y), true, 2 * products);
    }

    @Override
    public void glu(Rows y, Rows gate, Rows up, Activation activation) {
        begin();
        ops.glu(y, gate, up, activation);
        finishAndCount("glu", y, size(gate) + size(up) + size(y), false, 0);
    }

    @Override
    public void add(Rows y, Rows x) {
        begin();
        ops.add(y, x);
        finishAndCount("add", y, 2 * size(y) + size(x), false, 0);
    }

    @Override
    public void scale(Rows y, float factor) {
        begin();
        ops.scale(y, factor);
        finishAndCount("scale", y, 2 * size(y), false, 0);
    }

    @Override
    public void softcap(Rows y, float cap) {
        begin();
        ops.softcap(y, cap);
        finishAndCount("softcap", y, 2 * size(y), false, 0);
    }

    @Override
    public void topK(Ids ids, Rows values, Rows x) {
        begin();
        ops.topK(ids, values, x);
        finishAndCount("topK", x, size(x), false, 0);
    }

    @Override
    public void copy(Rows y, Rows x) {
        begin();
        ops.copy(y, x);
        finishAndCount("copy", y, size(x) + size(y), false, 0);
    }
}
