package dev.panamoe.opencl;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.CacheSpec;
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
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Records each operation as one launch or a few. Nothing is read back; positions and expert ids stay on the device.
final class OpenClOps implements Ops {
    private final RowKernels rows;
    private final IntegerProducts integers;
    private final Products products;
    private final Attentions attentions;

    /// @param configs how products of few rows with weights of a type are laid out
    /// @param rounding whether activations are rounded where {@link dev.panamoe.spi.Rounding} says
    OpenClOps(
            ClDevice device,
            Kernels kernels,
            Memory memory,
            long queue,
            Function<QuantType, MatvecConfig> configs,
            boolean rounding) {
        Scratch scratch = new Scratch(memory);
        this.integers = new IntegerProducts(device, kernels, scratch, queue, rounding);
        this.rows = new RowKernels(device, kernels, scratch, queue);
        this.products = new Products(device, kernels, rows, memory, scratch, queue, configs, integers);
        this.attentions = new Attentions(device, kernels, scratch, queue);
    }

    /// Says that a weight is about to be used.
    void prepare(TensorView weight, WeightUse use) {
        integers.prepare(weight, use);
    }

    /// See {@link dev.panamoe.spi.Device#arithmetic}.
    Arithmetic arithmetic() {
        return integers.arithmetic();
    }

    /// See {@link dev.panamoe.spi.Device#reserve}.
    void reserve(ModelSpec spec, int maxRows) {
        products.reserve(spec, maxRows);
        integers.reserve(spec, maxRows);
        attentions.useModel(spec);
        rows.reserve(spec);
    }

    /// Bytes that {@link #reserve(CacheSpec)} would take for all of these caches.
    long attentionBytes(ModelSpec spec, List<CacheSpec> caches) {
        return attentions.attentionBytes(spec, caches);
    }

    /// Takes what one token's attention over such a cache needs, where the model is known.
    void reserve(CacheSpec cache) {
        attentions.reserve(cache);
    }

    @Override
    public void embed(Rows y, Weight w, Ids tokens, float scale) {
        rows.embed(y, OpenClWeight.matrix(w), tokens, scale);
    }

    @Override
    public void rmsNorm(Rows y, Rows x, @Nullable Weight w, float eps) {
        rows.rmsNorm(y, x, w, eps);
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
        rows.addRmsNorm(x, branch, branchNorm, scale, ys, norms, eps);
    }

    @Override
    public void prepareHeads(List<HeadRows> heads, List<HeadSteps> steps, Ids positions, float eps) {
        rows.prepareHeads(heads, steps, positions, eps);
    }

    @Override
    public void matmul(Rows y, Weight w, Rows x) {
        products.matmul(y, OpenClWeight.matrix(w), x);
    }

    @Override
    public void matmulAll(List<Rows> ys, List<Weight> ws, Rows x) {
        products.matmulAll(ys, ws, x);
    }

    @Override
    public void gatedMatmul(Rows y, Rows scratch, Weight gate, Weight up, Rows x, Activation activation) {
        if (x.rows() == 1 && Products.alike(OpenClWeight.matrix(gate), OpenClWeight.matrix(up))) {
            products.gated(y, OpenClWeight.matrix(gate), OpenClWeight.matrix(up), x, activation);
        } else {
            products.matmulAll(List.of(y, scratch), List.of(gate, up), x);
            rows.glu(y, y, scratch, activation);
        }
    }

    @Override
    public void matmulPerHead(Rows y, Weight w, Rows x) {
        products.perHead(y, OpenClWeight.matrix(w), x);
    }

    @Override
    public void addBias(Rows y, Weight bias) {
        rows.addBias(y, bias);
    }

    @Override
    public void rope(Rows x, Ids positions, Rope rope) {
        rows.rope(x, positions, rope);
    }

    @Override
    public void kvAppend(KvCache cache, Rows k, @Nullable Rows v, Ids positions) {
        attentions.append((OpenClCache) cache, k, v, positions);
    }

    @Override
    public void attention(Rows out, Rows q, KvCache cache, Ids positions, Attention attention) {
        attentions.attention(out, q, (OpenClCache) cache, positions, attention);
    }

    @Override
    public void route(Ids ids, Rows weights, Rows logits, Router router) {
        rows.route(ids, weights, logits, router);
        OpenClBuffer.written(ids);
    }

    @Override
    public void experts(Rows y, Experts experts, Rows x, Ids ids, Rows weights) {
        products.experts(y, experts, x, ids, weights);
    }

    @Override
    public void glu(Rows y, Rows gate, Rows up, Activation activation) {
        rows.glu(y, gate, up, activation);
    }

    @Override
    public void add(Rows y, Rows x) {
        rows.add(y, x);
    }

    @Override
    public void scale(Rows y, float factor) {
        rows.scale(y, factor);
    }

    @Override
    public void softcap(Rows y, float cap) {
        rows.softcap(y, cap);
    }

    @Override
    public void topK(Ids ids, Rows values, Rows x) {
        rows.topK(ids, values, x);
        OpenClBuffer.written(ids);
    }

    @Override
    public void copy(Rows y, Rows x) {
        rows.copy(y, x);
    }
}
