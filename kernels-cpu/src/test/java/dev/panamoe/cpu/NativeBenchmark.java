package dev.panamoe.cpu;

import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.MemoryAdvice;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/// Speed of the native kernel sets by type, see `docs/performance.md`: one token against a plain read of the same
/// bytes, 512 tokens in tiles of 16, and filling a panel. Best of some turns.
///
/// Arguments: number of threads, a set or `all`, then types (all when there is none).
final class NativeBenchmark {
    private static final int COLS = 2816;
    private static final int TOKENS = 512;
    private static final int TURNS = 9;

    /// More than the caches of level 2 hold; a server's level 3 may hold it, so that turns read another part each.
    private static final long WEIGHT_BYTES = 640L << 20;

    /// Groups of a call, which takes well below a millisecond.
    private static final int CHUNK = 8;

    private static volatile long sink;

    private NativeBenchmark() {}

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 1;
        String set = args.length > 1 ? args[1] : "all";
        List<PackedType> types = args.length > 2
                ? Stream.of(args).skip(2).map(PackedType::valueOf).toList()
                : List.of(PackedType.values());
        System.out.printf("%d threads, W (rows, %d)%n", threads, COLS);
        System.out.println(
                "set           type    read GB/s  1 token GB/s  ratio  512 tokens GMAC/s  MAC/cycle/core  fill us per token");
        try (Arena arena = Arena.ofShared();
                WorkerPool pool = new WorkerPool(threads)) {
            MemorySegment data = arena.allocate(WEIGHT_BYTES, 2 << 20);
            CpuInfo cpu = CpuInfo.read();
            System.out.println(MemoryAdvice.HUGE_PAGES.apply(data).reason());
            for (PackedType type : types) {
                fill(type, data);
                for (NativeKernels.Candidate candidate : NativeKernels.candidates(cpu)) {
                    if (candidate.kernels().isPresent() && (set.equals("all") || set.equals(candidate.name()))) {
                        measure(candidate.kernels().get(), type, data, pool, threads);
                    }
                }
            }
        }
    }

    private static void measure(KernelSet set, PackedType type, MemorySegment data, WorkerPool pool, int threads) {
        int groups = (int) (data.byteSize() / type.groupBytes(COLS)) / CHUNK * CHUNK;
        int rows = groups * PackedType.ROWS;
        PackedWeight all = new PackedWeight("all", type, Shape.of(COLS, rows), data, COLS, rows, 1);
        float[] x = PackedData.activations(COLS * TOKENS, false, new Random(3));
        Panel panel = set.newPanel();
        List<Scratch> scratch = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            scratch.add(new Scratch());
        }
        int chunks = groups / CHUNK;
        int few = 4096 / (PackedType.ROWS * CHUNK);
        int[] yAt = IntStream.range(0, TOKENS).map(t -> t * 4096).toArray();
        float[] y = new float[Math.max(rows, TOKENS * 4096)];
        double read = 0;
        double one = 0;
        double many = 0;
        double fill = Double.MAX_VALUE;
        double clock = 0;
        for (int turn = 0; turn < TURNS; turn++) {
            panel.reset(type, COLS, 1);
            panel.set(0, 1, 0, x, 0);
            long bytes = chunks * CHUNK * type.groupBytes(COLS);
            read = Math.max(read, bytes / seconds(() -> read(data, bytes, pool)) / 1e9);
            WorkerPool.Task single = (chunk, thread) ->
                    set.matmul(all, 0, chunk * CHUNK, CHUNK, panel, 0, 1, y, yAt, 0, scratch.get(thread));
            one = Math.max(one, bytes / seconds(() -> pool.run(chunks, single)) / 1e9);
            panel.reset(type, COLS, TOKENS);
            fill = Math.min(fill, seconds(() -> {
                for (int t = 0; t < TOKENS; t++) {
                    panel.set(t & -Panel.TILE, Panel.TILE, t % Panel.TILE, x, t * COLS);
                }
            }));
            clock = Math.max(clock, clock());
            WorkerPool.Task tiles = (chunk, thread) -> {
                for (int t = 0; t < TOKENS; t += Panel.TILE) {
                    set.matmul(all, 0, chunk * CHUNK, CHUNK, panel, t, Panel.TILE, y, yAt, t, scratch.get(thread));
                }
            };
            many = Math.max(many, 4096.0 * COLS * TOKENS / seconds(() -> pool.run(few, tiles)) / 1e9);
        }
        panel.close();
        System.out.printf(
                "%-13s %-7s %9.1f %13.1f %6.2f %18.1f %15.1f %16.2f%n",
                set.name(), type, read, one, one / read, many, many * 1e9 / threads / clock, fill / TOKENS * 1e6);
    }

    private static void fill(PackedType type, MemorySegment data) {
        try (Arena arena = Arena.ofConfined()) {
            PackedWeight some = PackedData.weight(arena, type, COLS, 256, 1, false, new Random(2));
            long n = some.data().byteSize();
            for (long at = 0; at < data.byteSize(); at += n) {
                MemorySegment.copy(some.data(), 0, data, at, Math.min(n, data.byteSize() - at));
            }
        }
    }

    private static double seconds(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private static void read(MemorySegment data, long bytes, WorkerPool pool) {
        int chunk = 1 << 18;
        pool.run((int) (bytes / chunk), (c, thread) -> readChunk(data, (long) c * chunk, chunk));
    }

    private static void readChunk(MemorySegment data, long at, int bytes) {
        LongVector a = LongVector.zero(LongVector.SPECIES_PREFERRED);
        LongVector b = a;
        int step = LongVector.SPECIES_PREFERRED.vectorByteSize();
        for (int i = 0; i < bytes; i += 2 * step) {
            a = a.add(
                    LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, data, at + i, ByteOrder.LITTLE_ENDIAN));
            b = b.add(LongVector.fromMemorySegment(
                    LongVector.SPECIES_PREFERRED, data, at + i + step, ByteOrder.LITTLE_ENDIAN));
        }
        sink = a.add(b).reduceLanes(VectorOperators.ADD);
    }

    /// Cycles per second, from a chain of multiplications by an unknown, three cycles each on every common processor.
    private static double clock() {
        int n = 1_000_000;
        long[] result = new long[1];
        double s = seconds(() -> {
            long v = sink | 1;
            for (int i = 0; i < n; i++) {
                v *= v;
            }
            result[0] = v;
        });
        sink = result[0];
        return 3.0 * n / s;
    }
}
