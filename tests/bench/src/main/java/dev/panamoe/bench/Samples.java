package dev.panamoe.bench;

import dev.panamoe.quant.BlockDecoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Random weights and activations, the same at every call.
final class Samples implements AutoCloseable {
    /// Different blocks of a weight.
    private static final int BLOCKS = 256;

    /// Blocks until a weight repeats itself: a prime, so that no two rows are alike.
    private static final int PERIOD = 4099;

    private final Arena arena = Arena.ofShared();
    private final Map<String, TensorView> weights = new HashMap<>();

    /// The weight of that name, made when it is asked for first.
    TensorView weight(String name, QuantType type, Shape shape) {
        return weights.computeIfAbsent(name, n -> new TensorView(n, type, shape, random(n, type, shape)));
    }

    /// `megabytes` of weights, at least one: to be used in turn when none shall be found in a cache.
    List<TensorView> weights(String name, QuantType type, Shape shape, int megabytes) {
        int count = (int) Math.max(1, (((long) megabytes) << 20) / TensorView.byteSize(type, shape));
        return IntStream.range(0, count)
                .mapToObj(i -> weight(name + i, type, shape))
                .toList();
    }

    /// A vector of F32.
    TensorView vector(String name, float... values) {
        return weights.computeIfAbsent(name, n -> {
            MemorySegment data = arena.allocate(4L * values.length, 64);
            MemorySegment.copy(values, 0, data, LittleEndian.F32, 0, values.length);
            return new TensorView(n, QuantType.F32, Shape.of(values.length), data);
        });
    }

    /// Blocks are random bytes that happen to decode to ordinary values, so that nothing need be known of a type's
    /// scales: those too large would hide errors of other blocks.
    private MemorySegment random(String name, QuantType type, Shape shape) {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        MemorySegment some = MemorySegment.ofArray(new byte[BLOCKS * type.blockBytes()]);
        for (int i = 0; i < BLOCKS; i++) {
            ordinary(type, some.asSlice((long) i * type.blockBytes(), type.blockBytes()), random);
        }
        long bytes = TensorView.byteSize(type, shape);
        MemorySegment data = arena.allocate(bytes, 64);
        long period = Math.min(bytes, (long) PERIOD * type.blockBytes());
        for (long at = 0; at < period; at += type.blockBytes()) {
            long from = (long) random.nextInt(BLOCKS) * type.blockBytes();
            MemorySegment.copy(some, from, data, at, type.blockBytes());
        }
        for (long at = period; at < bytes; at += period) {
            MemorySegment.copy(data, 0, data, at, Math.min(period, bytes - at));
        }
        return data;
    }

    private static void ordinary(QuantType type, MemorySegment block, SplittableRandom random) {
        BlockDecoder decoder = Quants.get(type);
        byte[] bytes = new byte[type.blockBytes()];
        float[] values = new float[type.blockSize()];
        for (int attempt = 0; attempt < 1_000_000; attempt++) {
            random.nextBytes(bytes);
            block.copyFrom(MemorySegment.ofArray(bytes));
            decoder.decode(block, 0, values, 0, values.length);
            float largest = 0;
            for (float v : values) {
                largest = Math.max(largest, Math.abs(v)); // NaN stays
            }
            if (largest > 0.05f && largest < 1) {
                return;
            }
        }
        throw new IllegalStateException("no random block of " + type + " has ordinary values");
    }

    /// Row `row` of the weight's slice `slice`, decoded.
    static void decode(TensorView w, int slice, long row, float[] to) {
        Quants.get(w.type()).decode(w.data(), w.sliceStart(slice) + row * w.rowBytes(), to, 0, to.length);
    }

    /// Values of deviation one.
    static void fill(float[] values, int from, int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + 1);
        for (int i = from; i < from + count; i++) {
            values[i] = random.nextInt() * 0x1p-31f * 1.7320508f;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
