package dev.panamoe.cpu;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/// Speed of `matmul` by storage type, of experts and attention, see `docs/performance.md`. Everything is measured in
/// turns within one run, and the best turn counts, so that ratios hold on a machine that others use too.
///
/// Arguments: number of threads, then storage types (all when there is none).
final class KernelBenchmark {
    private static final int COLS = 2816;
    private static final int ROWS = 4096;
    private static final int TOKENS = 256;
    private static final int TURNS = 7;

    /// More than the caches of any desktop processor hold.
    private static final long WEIGHT_BYTES = 192L << 20;

    private static volatile int sink;

    private KernelBenchmark() {}

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 2;
        List<QuantType> types = args.length > 1
                ? List.of(args).subList(1, args.length).stream()
                        .map(QuantType::valueOf)
                        .toList()
                : List.copyOf(WeightFormat.TYPES.keySet());
        try (CpuDevice device = Workload.device("none", threads);
                WorkerPool pool = new WorkerPool(threads)) {
            System.out.printf(
                    "%d threads, %d-bit vectors, W (%d, %d); decode: 1 token; prefill: %d tokens%n",
                    threads, Simd.L * 32, ROWS, COLS, TOKENS);
            System.out.println("type    read GB/s  decode GB/s  ratio  prefill GMAC/s  MAC/cycle/core");
            for (QuantType type : types) {
                measure(device, pool, threads, type);
            }
            experts(device, 1);
            experts(device, TOKENS);
            attention(device, 1);
            attention(device, TOKENS);
        }
    }

    private static void measure(Device device, WorkerPool pool, int threads, QuantType type) {
        try (Arena arena = Arena.ofShared()) {
            long matrixBytes = type.rowBytes(COLS) * ROWS;
            int count = (int) Math.ceilDiv(WEIGHT_BYTES, matrixBytes);
            MemorySegment all = arena.allocate(count * matrixBytes, 64);
            fill(type, all);
            List<Weight> weights = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                MemorySegment data = all.asSlice(i * matrixBytes, matrixBytes);
                weights.add(device.upload(new TensorView("w" + i, type, Shape.of(COLS, ROWS), data), WeightUse.MATMUL));
            }
            Rows x = random(device, TOKENS, COLS);
            Rows y = random(device, TOKENS, ROWS);
            double read = 0;
            double decode = 0;
            double prefill = 0;
            double clock = 0;
            for (int turn = 0; turn < TURNS; turn++) {
                read = Math.max(read, all.byteSize() / seconds(() -> read(all, pool)) / 1e9);
                decode = Math.max(
                        decode,
                        all.byteSize()
                                / seconds(() ->
                                        weights.forEach(w -> device.ops().matmul(y.rows(0, 1), w, x.rows(0, 1))))
                                / 1e9);
                clock = Math.max(clock, PackedBenchmark.SPIN_CYCLES / seconds(PackedBenchmark::spin));
                double macs = (double) TOKENS * COLS * ROWS;
                prefill = Math.max(prefill, macs / seconds(() -> device.ops().matmul(y, weights.getFirst(), x)) / 1e9);
            }
            System.out.printf(
                    "%-7s %8.1f %12.1f %7.2f %14.1f %13.1f%n",
                    type, read, decode, decode / read, prefill, prefill * 1e9 / threads / clock);
        }
    }

    /// The experts of a layer like that of a 26B model, of which a token uses eight of 64.
    private static void experts(Device device, int tokens) {
        int width = 704;
        int count = 64;
        int used = 8;
        try (Arena arena = Arena.ofShared()) {
            QuantType type = QuantType.Q4_0;
            Weight up = device.upload(weight(arena, type, Shape.of(COLS, width, count)), WeightUse.EXPERTS);
            Weight down = device.upload(weight(arena, type, Shape.of(width, COLS, count)), WeightUse.EXPERTS);
            Experts experts = new Experts(up, up, down, Activation.GELU_TANH);
            Rows x = random(device, tokens, COLS);
            Rows y = random(device, tokens, COLS);
            Rows weights = random(device, tokens, used);
            Ids ids = Ids.of(device.allocate(Buffer.Kind.I32, tokens * used), tokens, used);
            int[] chosen = new int[tokens * used];
            double best = Double.MAX_VALUE;
            for (int turn = 0; turn < 3 * TURNS; turn++) {
                // Another eight for each token and turn, so that a token's experts are in no cache.
                for (int i = 0; i < chosen.length; i++) {
                    chosen[i] = (i / used * 13 + i % used * 8 + turn) % count;
                }
                device.write(ids, chosen);
                best = Math.min(best, seconds(() -> device.ops().experts(y, experts, x, ids, weights)));
            }
            double macs = 3.0 * tokens * used * width * COLS;
            System.out.printf(
                    "experts %s, %d tokens, 8 of 64 of width %d: %.2f ms, %.1f GB/s, %.1f GMAC/s%n",
                    type,
                    tokens,
                    width,
                    best * 1e3,
                    3 * type.rowBytes(COLS) * width * (double) Math.min(count, used * tokens) / best / 1e9,
                    macs / best / 1e9);
        }
    }

    /// All cache types in turn, each with a cache of its own.
    private static void attention(Device device, int tokens) {
        int positions = 4096;
        int heads = 16;
        int kvHeads = 8;
        int size = 256;
        Ids at = Ids.of(device.allocate(Buffer.Kind.I32, positions), positions, 1);
        device.write(at, IntStream.range(0, positions).toArray());
        Rows k = random(device, 64, kvHeads * size);
        Map<CacheType, KvCache> caches = new EnumMap<>(CacheType.class);
        for (CacheType type : CacheType.values()) {
            KvCache cache = device.allocateCache(new CacheSpec(kvHeads, size, size, false, positions, type));
            for (int p = 0; p < positions; p += 64) {
                device.ops().kvAppend(cache, k, k, at.rows(p, 64));
            }
            caches.put(type, cache);
        }
        Rows q = random(device, tokens * heads, size);
        Rows out = random(device, tokens * heads, size);
        Attention how = new Attention(heads, 0.06f, 0);
        Ids last = at.rows(positions - tokens, tokens);
        Map<CacheType, Double> best = new EnumMap<>(CacheType.class);
        for (int turn = 0; turn < (tokens == 1 ? 50 : 5); turn++) {
            caches.forEach((type, cache) ->
                    best.merge(type, seconds(() -> device.ops().attention(out, q, cache, last, how)), Math::min));
        }
        double f16 = best.getOrDefault(CacheType.F16, Double.NaN);
        best.forEach((type, s) -> System.out.printf(
                "attention, %s, %d tokens, %d positions, %d heads x %d on %d: %.2f ms, %.2f of F16, %.1f GMAC/s%n",
                type,
                tokens,
                positions,
                heads,
                size,
                kvHeads,
                s * 1e3,
                s / f16,
                2.0 * tokens * heads * size * positions / s / 1e9));
        caches.values().forEach(KvCache::close);
    }

    private static Rows random(Device device, int rows, int cols) {
        Rows x = Rows.of(device.allocate(Buffer.Kind.F32, rows * cols), rows, cols);
        float[] values = new float[rows * cols];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        device.write(x, values);
        return x;
    }

    private static TensorView weight(Arena arena, QuantType type, Shape shape) {
        MemorySegment data = arena.allocate(TensorView.byteSize(type, shape), 64);
        fill(type, data);
        return new TensorView("weight", type, shape, data);
    }

    /// Random blocks with scales of an ordinary size: subnormal numbers would be slow on many processors.
    private static void fill(QuantType type, MemorySegment all) {
        byte[] pattern = new byte[type.blockBytes() * 4096];
        new Random(2).nextBytes(pattern);
        MemorySegment some = MemorySegment.ofArray(pattern);
        for (long o = 0; o < pattern.length; o += type.blockBytes()) {
            Scales.set(type, some, o, type.blockSize() == 1 ? 0.02f * o % 1 + 0.001f : 0.01f);
        }
        for (long o = 0; o < all.byteSize(); o += pattern.length) {
            long n = Math.min(pattern.length, all.byteSize() - o);
            MemorySegment.copy(some, 0, all, o, n);
        }
    }

    private static double seconds(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private static void read(MemorySegment all, WorkerPool pool) {
        int chunk = 1 << 20;
        pool.run((int) (all.byteSize() / chunk), (c, thread) -> sink = CeilingsProbe.sum(all, (long) c * chunk, chunk));
    }
}
