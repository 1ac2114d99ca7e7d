package dev.panamoe.cpu;

import com.sun.management.ThreadMXBean;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/// Speed of the Vector API on packed weights, see `docs/performance.md`: one token with more weights than caches hold,
/// beside a plain read of the same bytes, and 512 tokens. Everything is measured in turns within one run, on one thread
/// and on all; of each piece of some milliseconds the best turn counts, as others use the machine too.
///
/// Arguments: number of threads, then types (all when there is none).
final class PackedBenchmark {
    private static final int COLS = 2816;
    private static final int ROWS = 4096;
    private static final int TOKENS = 512;
    private static final int TURNS = 9;
    private static final int GROUPS = 8;
    private static final long WEIGHT_BYTES = 200L << 20;

    private static final KernelSet KERNELS = new VectorKernels();

    private PackedBenchmark() {}

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 2;
        List<PackedType> types = args.length > 1
                ? List.of(args).subList(1, args.length).stream()
                        .map(PackedType::valueOf)
                        .toList()
                : List.of(PackedType.values());
        System.out.printf(
                "kernels %s, %d-bit vectors, W (%d, %d); decode: 1 token; prefill: %d tokens in tiles of %d%n",
                KERNELS.name(), Simd.L * 32, ROWS, COLS, TOKENS, Panel.TILE);
        try (WorkerPool one = new WorkerPool(1);
                WorkerPool all = new WorkerPool(threads)) {
            // Everything once before anything is measured, as in a program that uses several types.
            types.forEach(type -> measure(type, one, 1, false));
            System.out.println(
                    "type    threads  read GB/s  decode GB/s  ratio  prefill GMAC/s  MAC/cycle/core  set, us/token  B/call (decode, prefill)");
            for (PackedType type : types) {
                measure(type, one, 1, true);
                if (threads > 1) {
                    measure(type, all, threads, true);
                }
            }
        }
    }

    private static void measure(PackedType type, WorkerPool pool, int threads, boolean print) {
        Random random = new Random(1);
        long slice = type.sliceBytes(ROWS, COLS);
        int slices = print ? (int) Math.ceilDiv(WEIGHT_BYTES, slice) : 1;
        try (Arena arena = Arena.ofShared()) {
            PackedWeight some = VectorKernelsTest.weight(arena, type, COLS, 256, 1, random);
            MemorySegment data = arena.allocate(slices * slice, 64);
            for (long o = 0; o < data.byteSize(); o += some.data().byteSize()) {
                long n = Math.min(some.data().byteSize(), data.byteSize() - o);
                MemorySegment.copy(some.data(), 0, data, o, n);
            }
            PackedWeight w = new PackedWeight("w", type, Shape.of(COLS, ROWS, slices), data, COLS, ROWS, slices);
            float[] x = VectorKernelsTest.activations(random, TOKENS * COLS);
            float[] y = new float[TOKENS * ROWS];
            int[] yAt = new int[TOKENS];
            for (int t = 0; t < TOKENS; t++) {
                yAt[t] = t * ROWS;
            }
            Panel one = KERNELS.newPanel();
            one.reset(type, COLS, 1);
            one.set(0, 1, 0, x, 0);
            Panel many = KERNELS.newPanel();
            many.reset(type, COLS, TOKENS);
            Scratch[] scratch = new Scratch[threads];
            for (int i = 0; i < threads; i++) {
                scratch[i] = new Scratch();
            }
            int chunks = w.groups() / GROUPS;
            ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            double[] reads = worst(slices);
            double[] decodes = worst(slices);
            double[] prefills = worst(TOKENS / Panel.TILE);
            double[] sets = worst(TOKENS);
            double clock = 0;
            long decodeBytes = Long.MAX_VALUE;
            long prefillBytes = Long.MAX_VALUE;
            long warm = System.nanoTime() + 2_000_000_000L;
            for (int turn = 0; turn < TURNS || (!print && System.nanoTime() < warm); turn++) {
                clock = Math.max(clock, clock());
                for (int t = 0; t < TOKENS; t++) {
                    int first = t & -Panel.TILE;
                    int token = t;
                    best(sets, t, () -> many.set(first, Panel.TILE, token - first, x, token * COLS));
                }
                for (int i = 0; i < 20; i++) {
                    one.set(0, 1, 0, x, 0);
                }
                for (int s = 0; s < slices; s++) {
                    long from = s * slice;
                    best(reads, s, () -> read(data, from, slice, pool));
                }
                long before = memory.getCurrentThreadAllocatedBytes();
                for (int s = 0; s < slices; s++) {
                    int at = s;
                    best(
                            decodes,
                            s,
                            () -> pool.run(
                                    chunks,
                                    (chunk, thread) -> KERNELS.matmul(
                                            w, at, chunk * GROUPS, GROUPS, one, 0, 1, y, yAt, 0, scratch[thread])));
                }
                long between = memory.getCurrentThreadAllocatedBytes();
                decodeBytes = Math.min(decodeBytes, between - before);
                for (int t = 0; t < TOKENS; t += Panel.TILE) {
                    int at = t;
                    best(
                            prefills,
                            t / Panel.TILE,
                            () -> pool.run(
                                    chunks,
                                    (chunk, thread) -> KERNELS.matmul(
                                            w,
                                            0,
                                            chunk * GROUPS,
                                            GROUPS,
                                            many,
                                            at,
                                            Panel.TILE,
                                            y,
                                            yAt,
                                            at,
                                            scratch[thread])));
                }
                prefillBytes = Math.min(prefillBytes, memory.getCurrentThreadAllocatedBytes() - between);
            }
            if (print) {
                double macs = (double) ROWS * COLS * TOKENS;
                double bytes = slices * slice;
                double read = sum(reads);
                double decode = sum(decodes);
                double prefill = sum(prefills);
                System.out.printf(
                        "%-7s %7d %10.1f %12.1f %6.2f %15.1f %15.1f %14.2f %7.1f %7.1f%n",
                        type,
                        threads,
                        bytes / read / 1e9,
                        bytes / decode / 1e9,
                        read / decode,
                        macs / prefill / 1e9,
                        macs / prefill / threads / clock,
                        sum(sets) / TOKENS * 1e6,
                        (double) decodeBytes / slices / chunks,
                        (double) prefillBytes / (TOKENS / Panel.TILE) / chunks);
            }
        }
    }

    private static double[] worst(int n) {
        double[] times = new double[n];
        Arrays.fill(times, Double.MAX_VALUE);
        return times;
    }

    private static void best(double[] times, int i, Runnable work) {
        times[i] = Math.min(times[i], seconds(work));
    }

    private static double sum(double[] times) {
        return Arrays.stream(times).sum();
    }

    private static double seconds(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private static void read(MemorySegment all, long from, long bytes, WorkerPool pool) {
        int chunk = 1 << 17;
        pool.run(
                (int) Math.ceilDiv(bytes, chunk),
                (c, thread) -> readChunk(all, from + (long) c * chunk, (int)
                        Math.min(chunk, (bytes - (long) c * chunk) & -256)));
    }

    private static volatile long sink;

    private static void readChunk(MemorySegment all, long at, int bytes) {
        LongVector a = LongVector.zero(LongVector.SPECIES_PREFERRED);
        LongVector b = a;
        LongVector c = a;
        LongVector d = a;
        int step = LongVector.SPECIES_PREFERRED.vectorByteSize();
        for (int i = 0; i < bytes; i += 4 * step) {
            a = a.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, all, at + i, ByteOrder.LITTLE_ENDIAN));
            b = b.add(LongVector.fromMemorySegment(
                    LongVector.SPECIES_PREFERRED, all, at + i + step, ByteOrder.LITTLE_ENDIAN));
            c = c.add(LongVector.fromMemorySegment(
                    LongVector.SPECIES_PREFERRED, all, at + i + 2 * step, ByteOrder.LITTLE_ENDIAN));
            d = d.add(LongVector.fromMemorySegment(
                    LongVector.SPECIES_PREFERRED, all, at + i + 3 * step, ByteOrder.LITTLE_ENDIAN));
        }
        sink = a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
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
