package dev.panamoe.cpu;

import com.sun.management.ThreadMXBean;
import dev.panamoe.ffm.MemoryAdvice;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Speed of the kernel sets on packed weights, see `docs/performance.md`: one token against a plain read of as many
/// bytes, 512 tokens in tiles of 16, and filling a panel. Everything is timed in pieces of below a millisecond, each
/// thread for itself, and the lower quartile of the pieces counts: so other programs on the machine matter little. A
/// call that allocates boxes its vectors.
///
/// Arguments: number of threads, a set or `all`, then types (all when there is none).
final class PackedBenchmark {
    private static final int COLS = 2816;
    private static final int TOKENS = 512;
    /// More than the caches of level 2 hold; a server's level 3 may hold it, so that turns read another part each.
    private static final long WEIGHT_BYTES = 640L << 20;

    /// Groups of a call.
    private static final int CHUNK = 8;

    /// Bytes that are read, and then multiplied, in one piece.
    private static final int PIECE = 1 << 20;

    private static final int TURNS = 5;

    private static final int SPINS = 100_000;

    /// What {@link #spin} takes.
    static final int SPIN_CYCLES = 3 * SPINS;

    private static final ThreadMXBean MEMORY = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static volatile long sink;

    private PackedBenchmark() {}

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 1;
        String name = args.length > 1 ? args[1] : "all";
        List<PackedType> types = args.length > 2
                ? Stream.of(args).skip(2).map(PackedType::valueOf).toList()
                : List.of(PackedType.values());
        List<KernelSet> sets = KernelSets.candidates().stream()
                .filter(c -> name.equals("all") || name.equals(c.name()))
                .map(KernelSets.Candidate::kernels)
                .flatMap(Optional::stream)
                .toList();
        System.out.printf("%d threads, %d-bit vectors of Java, W (rows, %d)%n", threads, Simd.L * 32, COLS);
        try (Arena arena = Arena.ofShared();
                WorkerPool pool = new WorkerPool(threads)) {
            MemorySegment data = arena.allocate(WEIGHT_BYTES, 2 << 20);
            System.out.println(MemoryAdvice.HUGE_PAGES.apply(data).reason());
            // Everything once before anything is measured, as in a program that uses several types.
            // A few pieces for each thread.
            MemorySegment some = data.asSlice(0, Math.clamp(4L * threads * PIECE, WEIGHT_BYTES / 16, WEIGHT_BYTES));
            types.forEach(type -> {
                fill(type, some);
                sets.forEach(set -> measure(set, type, some, pool));
            });
            System.out.println("set           type    read GB/s  1 token GB/s  ratio  512 tokens GMAC/s  MAC/cycle/core"
                    + "  fill us per token  B/call (1, 512 tokens)");
            types.forEach(type -> {
                fill(type, data);
                sets.forEach(set -> System.out.println(measure(set, type, data, pool)));
            });
        }
    }

    private static String measure(KernelSet set, PackedType type, MemorySegment data, WorkerPool pool) {
        int threads = pool.threads();
        int perPiece = Math.max(1, (int) (PIECE / type.groupBytes(COLS)));
        int pieces = (int) (data.byteSize() / (perPiece * type.groupBytes(COLS)));
        int rows = pieces * perPiece * PackedType.ROWS;
        long pieceBytes = perPiece * type.groupBytes(COLS);
        PackedWeight all = new PackedWeight("all", type, Shape.of(COLS, rows), data, COLS, rows, 1);
        float[] x = PackedData.activations(COLS * TOKENS, false, new Random(3));
        float[] y = new float[rows];
        int[] zeros = new int[TOKENS];
        Scratch[] scratch = Stream.generate(Scratch::new).limit(threads).toArray(Scratch[]::new);
        Panel panel = set.newPanel();

        panel.reset(type, COLS, 1);
        panel.set(0, 1, 0, x, 0);
        Samples read = new Samples(threads);
        Samples one = new Samples(threads);
        pool.run(threads, (part, thread) -> {
            for (int turn = 0; turn < TURNS; turn++) {
                // Pieces in turn, so that both see the memory under the same load.
                for (int i = pieces * part / threads; i + 1 < pieces * (part + 1) / threads; i += 2) {
                    long from = i * pieceBytes;
                    int group = (i + 1) * perPiece;
                    read.time(part, () -> sink = CeilingsProbe.sum(data, from, (int) pieceBytes & -512));
                    one.time(
                            part, () -> set.matmul(all, 0, group, perPiece, panel, 0, 1, y, zeros, 0, scratch[thread]));
                }
            }
        });

        panel.reset(type, COLS, TOKENS);
        Samples fill = new Samples(1);
        for (int turn = 0; turn < 2 * TURNS; turn++) {
            for (int t = 0; t < TOKENS; t++) {
                int token = t;
                fill.time(0, () -> panel.set(token & -Panel.TILE, Panel.TILE, token % Panel.TILE, x, token * COLS));
            }
        }
        Samples many = new Samples(threads);
        Samples clock = new Samples(threads);
        pool.run(threads, (part, thread) -> {
            int[] yAt = IntStream.range(0, Panel.TILE)
                    .map(t -> t * PackedType.ROWS * CHUNK)
                    .toArray();
            float[] own = new float[Panel.TILE * PackedType.ROWS * CHUNK];
            PackedWeight few = new PackedWeight(
                    "few", type, Shape.of(COLS, PackedType.ROWS * CHUNK), data, COLS, PackedType.ROWS * CHUNK, 1);
            for (int turn = 0; turn < 10 * TURNS; turn++) {
                clock.time(part, PackedBenchmark::spin);
                for (int t = 0; t < TOKENS; t += Panel.TILE) {
                    int first = t;
                    many.time(
                            part,
                            () -> set.matmul(few, 0, 0, CHUNK, panel, first, Panel.TILE, own, yAt, 0, scratch[thread]));
                }
            }
        });
        panel.close();
        double readRate = pieceBytes * read.rate();
        double oneRate = pieceBytes * one.rate();
        double macs = (double) PackedType.ROWS * CHUNK * COLS * Panel.TILE * many.rate();
        return "%-13s %-7s %9.1f %13.1f %6.2f %18.1f %15.1f %18.2f %14d %8d"
                .formatted(
                        set.name(),
                        type,
                        readRate / 1e9,
                        oneRate / 1e9,
                        oneRate / readRate,
                        macs / 1e9,
                        macs / (SPIN_CYCLES * clock.rate()),
                        1e6 / fill.rate(),
                        one.bytes(),
                        many.bytes());
    }

    /// Times of pieces of equal work, and what they allocated, by thread.
    private static final class Samples {
        /// As many as `fill` has.
        private static final int MOST = 2 * TURNS * TOKENS;

        private final long[][] nanos;
        private final long[][] bytes;
        private final int[] count;

        Samples(int threads) {
            nanos = new long[threads][MOST];
            bytes = new long[threads][MOST];
            count = new int[threads];
        }

        void time(int thread, Runnable work) {
            long before = MEMORY.getCurrentThreadAllocatedBytes();
            long start = System.nanoTime();
            work.run();
            int i = count[thread]++;
            nanos[thread][i] = System.nanoTime() - start;
            bytes[thread][i] = MEMORY.getCurrentThreadAllocatedBytes() - before;
        }

        /// Pieces a second of all threads together.
        double rate() {
            return IntStream.range(0, count.length)
                    .mapToDouble(i -> 1e9 / lowerQuartile(nanos[i], count[i]))
                    .sum();
        }

        /// Bytes of a piece, of the thread that allocates most.
        long bytes() {
            return IntStream.range(0, count.length)
                    .mapToLong(i -> lowerQuartile(bytes[i], count[i]))
                    .max()
                    .orElseThrow();
        }

        private static long lowerQuartile(long[] values, int count) {
            long[] sorted = Arrays.copyOf(values, count);
            Arrays.sort(sorted);
            return sorted[count / 4];
        }
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

    /// A chain of multiplications by an unknown, three cycles each on every common processor: the clock.
    static void spin() {
        long v = sink | 1;
        for (int i = 0; i < SPINS; i++) {
            v *= v;
        }
        sink = v;
    }
}
