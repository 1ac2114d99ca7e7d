package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spec.RouterSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Packing;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// Every operation on every type that has kernels of its own and on some that have none, in sizes of a toy, on data
/// that never changes.
final class Workload {
    /// Of the types without kernels of their own, which differ in the core's decoders only.
    private static final Set<QuantType> SOME_DECODED = EnumSet.of(QuantType.IQ1_M, QuantType.IQ3_XXS, QuantType.NVFP4);

    static final int TOKENS = 5;
    private static final int SIZE = 256;
    private static final int EXPERTS = 4;
    private static final int USED = 2;
    private static final int HEADS = 4;

    private final CpuDevice device;
    private final Rows x;
    private final Rows y;
    private final Rows z;
    private final Rows logits;
    private final Rows factors;
    private final Ids ids;
    private final Ids positions;
    private final List<Weight> tables = new ArrayList<>();
    private final List<Weight> matrices = new ArrayList<>();
    private final List<Experts> experts = new ArrayList<>();
    private final List<KvCache> caches = new ArrayList<>();
    private final Experts biased;
    private final Weight sinks;
    private final Weight norm;
    private final Rope halves;
    private final Rope interleaved;
    private final Router router;

    /// A device with weights packed for a kernel set, or as they are for `none`.
    static CpuDevice device(String kernels, int threads) {
        boolean none = kernels.equals("none");
        return new CpuDevice(
                new DeviceInfo("cpu", "", 0, List.of()),
                KernelSets.choose(none ? DeviceOptions.AUTO : kernels),
                threads,
                List.of(),
                DeviceOptions.DEFAULT.withPacking(none ? Packing.NONE : Packing.MEMORY));
    }

    Workload(CpuDevice device) {
        this.device = device;
        Random random = new Random(1);
        x = rows(SIZE);
        y = rows(SIZE);
        z = rows(SIZE);
        logits = rows(EXPERTS);
        factors = rows(USED);
        ids = Ids.of(device.allocate(Buffer.Kind.I32, TOKENS * USED), TOKENS, USED);
        positions = Ids.of(device.allocate(Buffer.Kind.I32, TOKENS), TOKENS, 1);
        device.write(positions, new int[] {0, 1, 2, 3, 4});
        for (QuantType type : WeightFormat.TYPES.keySet()) {
            if (WeightFormat.of(type) instanceof DecodedFormat && !SOME_DECODED.contains(type)) {
                continue;
            }
            TensorView matrix = weight(type, Shape.of(SIZE, SIZE), random);
            tables.add(device.upload(matrix, WeightUse.EMBED));
            matrices.add(device.upload(matrix, WeightUse.MATMUL));
            Weight e = device.upload(weight(type, Shape.of(SIZE, SIZE, EXPERTS), random), WeightUse.EXPERTS);
            experts.add(new Experts(e, e, e, type == QuantType.F32 ? Activation.GELU_TANH : Activation.SILU));
        }
        Weight bias = device.upload(weight(QuantType.F32, Shape.of(SIZE, EXPERTS), random), WeightUse.EXPERT_BIAS);
        TensorView scaled =
                weight(QuantType.Q8_0, Shape.of(SIZE, SIZE, EXPERTS), random).withSliceScales(List.of(1f, 2f, 3f, 4f));
        Weight e = device.upload(scaled, WeightUse.EXPERTS);
        biased = new Experts(e, e, e, new Experts.Biases(bias, bias, bias), Activation.SWIGLU_CLAMPED);
        sinks = device.upload(weight(QuantType.F32, Shape.of(HEADS), random), WeightUse.VECTOR);
        for (CacheType type : CacheType.values()) {
            caches.add(device.allocateCache(new CacheSpec(2, SIZE / HEADS, SIZE / HEADS, false, TOKENS, type)));
        }
        norm = device.upload(weight(QuantType.F32, Shape.of(SIZE), random), WeightUse.VECTOR);
        Weight frequencies = device.upload(weight(QuantType.F32, Shape.of(SIZE / HEADS / 2), random), WeightUse.VECTOR);
        halves = new Rope(RopeSpec.Pairing.HALVES, frequencies, 1);
        interleaved = new Rope(RopeSpec.Pairing.INTERLEAVED, frequencies, 1);
        router = new Router(RouterSpec.softmaxTopK(EXPERTS, USED), null, null);
        reset();
    }

    /// @param tokens 1 (decode) to {@link #TOKENS} (prefill)
    void run(int tokens) {
        Ops ops = device.ops();
        Rows in = x.rows(0, tokens);
        Rows out = y.rows(0, tokens);
        Rows other = z.rows(0, tokens);
        Ids at = positions.rows(0, tokens);
        Ids chosen = ids.rows(0, tokens);
        Rows weights = factors.rows(0, tokens);
        Attention attention = new Attention(HEADS, 0.1f, 3, sinks);
        ops.route(chosen, weights, logits.rows(0, tokens), router);
        for (int i = 0; i < matrices.size(); i++) {
            ops.embed(out, tables.get(i), at, 2);
            ops.matmul(out, matrices.get(i), in);
            ops.add(other, out);
            ops.experts(out, experts.get(i), in, chosen, weights);
            ops.add(other, out);
        }
        ops.experts(out, biased, in, chosen, weights);
        ops.add(other, out);
        ops.rmsNorm(out, other, norm, 1e-6f);
        ops.addBias(out, norm);
        ops.rope(out.split(HEADS), at, halves);
        ops.rope(out.split(HEADS), at, interleaved);
        for (int i = 0; i < caches.size(); i++) {
            Rows half = out.split(2).rows(0, tokens);
            ops.kvAppend(caches.get(i), half, half, at);
            ops.attention(other.split(HEADS), out.split(HEADS), caches.get(i), at, attention);
            ops.glu(out, other, out, Activation.GELU_TANH);
        }
        ops.softcap(out, 30);
        ops.scale(out, 0.5f);
        ops.topK(chosen.rows(0, 1), weights.rows(0, 1), out.rows(0, 1));
        ops.copy(other, out);
    }

    /// All bits of the last results.
    int hash() {
        return 31 * Arrays.hashCode(HostBuffer.floats(z)) + Arrays.hashCode(HostBuffer.floats(factors));
    }

    /// Makes the activations what they were in the beginning.
    void reset() {
        Random random = new Random(2);
        for (Rows rows : List.of(x, y, z, logits, factors)) {
            fill(rows, random);
        }
    }

    private Rows rows(int cols) {
        return Rows.of(device.allocate(Buffer.Kind.F32, TOKENS * cols), TOKENS, cols);
    }

    private void fill(Rows rows, Random random) {
        float[] values = new float[TOKENS * rows.cols()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        device.write(rows, values);
    }

    private static TensorView weight(QuantType type, Shape shape, Random random) {
        byte[] bytes = new byte[(int) TensorView.byteSize(type, shape)];
        random.nextBytes(bytes);
        MemorySegment data = Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
        for (long o = 0; o < bytes.length; o += type.blockBytes()) {
            Scales.set(type, data, o, type.blockSize() == 1 ? (float) random.nextGaussian() / 16 : 1e-3f);
        }
        return new TensorView("test", type, shape, data);
    }
}
