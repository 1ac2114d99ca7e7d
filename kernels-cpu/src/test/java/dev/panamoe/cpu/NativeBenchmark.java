package dev.panamoe.cpu;

import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.MemoryAdvice;
import dev.panamoe.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;

/// Speed of the native kernel sets by type, see `docs/performance.md`: one token against a plain read of as many bytes,
/// 512 tokens in tiles of 16, and filling a panel. Everything is timed in pieces of below a millisecond, each thread
/// for itself, and the lower quartile of the pieces counts: so other programs on the machine matter little.
///
/// Arguments: number of threads, a set or `all`, then types (all when there is none).
final class NativeBenchmark {
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
                for (KernelSets.Candidate candidate : NativeKernels.candidates(cpu)) {
                    if (candidate.kernels().isPresent() && (set.equals("all") || set.equals(candidate.name()))) {
                        measure(candidate.kernels().get(), type, data, pool, threads);
                    }
                }
            }
        }
    }

    private static void measure(KernelSet set, PackedType type, MemorySegment data, WorkerPool pool, int threads) {
        int perPiece = Math.max(1, (int) (PIECE / type.groupBytes(COLS)));
        int pieces = (int) (data.byteSize() / (perPiece * type.groupBytes(COLS)));
        int rows = pieces * perPiece * PackedType.ROWS;
        long pieceBytes = perPiece * type.groupBytes(COLS);
        PackedWeight all = new PackedWeight("all", type, Shape.of(COLS, rows), data, COLS, rows, 1);
        float[] x = PackedData.activations(COLS * TOKENS, false, new Random(3));
        float[] y = new float[Math.max(rows, TOKENS * PackedType.ROWS * CHUNK)];
        int[] zeros = new int[TOKENS];
        Scratch scratch = new Scratch();
        Panel panel = set.newPanel();

        panel.reset(type, COLS, 1);
        panel.set(0, 1, 0, x, 0);
        Samples read = new Samples(threads);
        Samples one = new Samples(threads);
        pool.run(threads, (part, thread) -> {
            for (int turn = 0; turn < TURNS; turn++) {
                // Pieces in turn, so that both see the memory under the same load.
                for (int i = pieces * part / threads; i + 1 < pieces * (part + 1) / threads; i += 2) {
                    int piece = i;
                    read.time(part, () -> read(data, piece * pieceBytes, (int) pieceBytes / 256 * 256));
                    one.time(
                            part,
                            () -> set.matmul(
                                    all, 0, (piece + 1) * perPiece, perPiece, panel, 0, 1, y, zeros, 0, scratch));
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
                clock.time(part, NativeBenchmark::spin);
                for (int t = 0; t < TOKENS; t += Panel.TILE) {
                    int first = t;
                    many.time(part, () -> set.matmul(few, 0, 0, CHUNK, panel, first, Panel.TILE, own, yAt, 0, scratch));
                }
            }
        });
        panel.close();
        double readRate = pieceBytes * read.rate();
        double oneRate = pieceBytes * one.rate();
        double macs = (double) PackedType.ROWS * CHUNK * COLS * Panel.TILE * many.rate();
        System.out.printf(
                "%-13s %-7s %9.1f %13.1f %6.2f %18.1f %15.1f %18.2f%n",
                set.name(),
                type,
                readRate / 1e9,
                oneRate / 1e9,
                oneRate / readRate,
                macs / 1e9,
                macs / (SPINS * 3 * clock.rate()),
                1e6 / fill.rate());
    }

    /// Times of pieces of equal work, by thread.
    private static final class Samples {
        private final List<long[]> nanos = new ArrayList<>();
        private final int[] count;

        Samples(int threads) {
            for (int i = 0; i < threads; i++) {
                nanos.add(new long[100_000]);
            }
            count = new int[threads];
        }

        void time(int thread, Runnable work) {
            long start = System.nanoTime();
            work.run();
            nanos.get(thread)[count[thread]++] = System.nanoTime() - start;
        }

        /// Pieces a second of all threads together.
        double rate() {
            double rate = 0;
            for (int i = 0; i < count.length; i++) {
                long[] sorted = Arrays.copyOf(nanos.get(i), count[i]);
                Arrays.sort(sorted);
                rate += 1e9 / sorted[sorted.length / 4];
            }
            return rate;
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

    private static void read(MemorySegment data, long at, int bytes) {
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

    /// A chain of multiplications by an unknown, three cycles each on every common processor: the clock.
    private static void spin() {
        long v = sink | 1;
        for (int i = 0; i < SPINS; i++) {
            v *= v;
        }
        sink = v;
    }
}
