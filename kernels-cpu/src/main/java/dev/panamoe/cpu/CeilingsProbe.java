package dev.panamoe.cpu;

import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.MemoryInfo;
import dev.panamoe.spi.Ceilings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Measures what the cores of this machine can do at most: streaming reads of a buffer that no cache holds, by one
/// thread, two, and so on, and multiply-adds of floats and of 8-bit integers that stay in registers. Of some tries the
/// best counts.
final class CeilingsProbe {
    private static final long MIB = 1L << 20;

    /// What a thread takes at a time: it keeps the threads busy to the end, as kernels do.
    private static final int BLOCK = 512 * 1024;

    private static final int ACCUMULATORS = 12;
    private static final int FMA_TURNS = 50_000;
    private static final int INT8_CALLS = 4;

    private static final long WARM_NANOS = 1_500_000_000;
    private static final double COMPILED_READ = 2e9;
    private static final double COMPILED_FLOPS = 1e10;
    private static final long READ_NANOS = 600_000_000;
    private static final long FMA_NANOS = 200_000_000;
    private static final long INT8_NANOS = 200_000_000;

    /// Whether the JIT of this run has done its work here.
    private static volatile boolean warm;

    private final WorkerPool pool;

    private boolean isWarm = true;

    /// Keeps the JIT from dropping loops whose result nobody reads.
    private volatile int sink;

    private CeilingsProbe(WorkerPool pool) {
        this.pool = pool;
    }

    /// @param integers the set whose products are of 8-bit integers; empty where they are of floats
    static Ceilings measure(WorkerPool pool, Optional<KernelSet> integers) {
        CeilingsProbe probe = new CeilingsProbe(pool);
        Ceilings ceilings = new Ceilings(
                probe.reads(), probe.flops(), integers.map(probe::int8Ops).orElse(OptionalDouble.empty()));
        warm |= probe.isWarm;
        return ceilings;
    }

    /// Twice the last cache, of which reading on and on then finds nothing, but at most an eighth of what is free.
    private static long bufferBytes() {
        long cache = CpuInfo.read().caches().stream()
                .mapToLong(CpuInfo.Cache::bytes)
                .max()
                .orElse(0);
        long free = MemoryInfo.read().usable().orElse(Long.MAX_VALUE);
        long wanted = Math.clamp(2 * cache, 128 * MIB, 1024 * MIB);
        return Math.max(Math.min(wanted, free / 8) / BLOCK, 1) * BLOCK;
    }

    private List<Double> reads() {
        List<Double> best = new ArrayList<>();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(bufferBytes(), 64);
            int blocks = (int) (buffer.byteSize() / BLOCK);
            // The arena has zeroed it, but pages of zeroes may all be one page.
            pool.run(
                    blocks,
                    (chunk, thread) ->
                            buffer.asSlice((long) chunk * BLOCK, BLOCK).fill((byte) (chunk + 1)));
            int piece = BLOCK / 8;
            warm(
                    (double) piece * pool.threads(),
                    COMPILED_READ,
                    () -> pool.run(pool.threads(), (chunk, thread) -> sink = sum(buffer, 0, piece)));
            // A try of a millisecond has the cores to itself now and then on a busy machine; a longer one never.
            int window = Math.min(blocks, Math.max(64, 16 * pool.threads()));
            for (int threads = 1; threads <= pool.threads(); threads++) {
                best.add(1e9 * window * BLOCK / best(READ_NANOS / pool.threads(), readers(buffer, window, threads)));
            }
        }
        return best;
    }

    /// Reads the next blocks of the buffer, from its beginning again behind its end.
    private Runnable readers(MemorySegment buffer, int window, int threads) {
        int blocks = (int) (buffer.byteSize() / BLOCK);
        AtomicInteger begin = new AtomicInteger();
        return () -> {
            int first = begin.getAndUpdate(b -> (b + window) % blocks);
            AtomicInteger next = new AtomicInteger();
            pool.run(threads, (chunk, thread) -> {
                int sum = 0;
                for (int block; (block = next.getAndIncrement()) < window; ) {
                    sum += sum(buffer, (long) ((first + block) % blocks) * BLOCK, BLOCK);
                }
                sink = sum;
            });
        };
    }

    private double flops() {
        int threads = pool.threads();
        int turns = FMA_TURNS / 25;
        warm(
                flops(turns) * threads,
                COMPILED_FLOPS,
                () -> pool.run(threads, (chunk, thread) -> sink = (int) multiplyAdd(turns)));
        // More chunks than threads, so that slower cores do not hold up the others.
        int chunks = 4 * threads;
        long nanos = best(FMA_NANOS, () -> pool.run(chunks, (chunk, thread) -> sink = (int) multiplyAdd(FMA_TURNS)));
        return 1e9 * flops(FMA_TURNS) * chunks / nanos;
    }

    private OptionalDouble int8Ops(KernelSet kernels) {
        OptionalLong once = kernels.multiplyAdd();
        if (once.isEmpty()) {
            return OptionalDouble.empty();
        }
        int chunks = 4 * pool.threads();
        long nanos = best(
                INT8_NANOS,
                () -> pool.run(chunks, (chunk, thread) -> {
                    for (int i = 0; i < INT8_CALLS; i++) {
                        kernels.multiplyAdd();
                    }
                }));
        return OptionalDouble.of(1e9 * 2 * once.getAsLong() * INT8_CALLS * chunks / nanos);
    }

    private static double flops(int turns) {
        return 2.0 * ACCUMULATORS * Simd.L * turns;
    }

    /// Until the JIT has done its work, which is seen from the speed: every processor is faster than `compiled`, and
    /// interpreted vector operations are far slower. On a busy machine the JIT waits for a core like everybody else.
    ///
    /// @param amount of work
    /// @param compiled amount a second
    private void warm(double amount, double compiled, Runnable work) {
        long begin = System.nanoTime();
        long enough = (long) (1e9 * amount / compiled);
        long best = Long.MAX_VALUE;
        for (long now = begin; !warm && now - begin < WARM_NANOS && best > enough; ) {
            work.run();
            long end = System.nanoTime();
            best = Math.min(best, end - now);
            now = end;
        }
        isWarm &= warm || best <= enough;
    }

    /// The shortest of as many tries as fit, at least two.
    private static long best(long budget, Runnable work) {
        long best = Long.MAX_VALUE;
        long begin = System.nanoTime();
        for (int i = 0; i < 2 || System.nanoTime() - begin < budget; i++) {
            long start = System.nanoTime();
            work.run();
            best = Math.min(best, System.nanoTime() - start);
        }
        return best;
    }

    /// The sum of `length` bytes as integers, eight vectors at a time: `length` is a multiple of 512.
    static int sum(MemorySegment s, long from, int length) {
        int step = 4 * Simd.L;
        ByteOrder order = ByteOrder.LITTLE_ENDIAN;
        IntVector a = IntVector.zero(Simd.I);
        IntVector b = a;
        IntVector c = a;
        IntVector d = a;
        for (int i = 0; i < length; i += 8 * step) {
            long at = from + i;
            a = a.add(IntVector.fromMemorySegment(Simd.I, s, at, order));
            b = b.add(IntVector.fromMemorySegment(Simd.I, s, at + step, order));
            c = c.add(IntVector.fromMemorySegment(Simd.I, s, at + 2 * step, order));
            d = d.add(IntVector.fromMemorySegment(Simd.I, s, at + 3 * step, order));
            a = a.add(IntVector.fromMemorySegment(Simd.I, s, at + 4 * step, order));
            b = b.add(IntVector.fromMemorySegment(Simd.I, s, at + 5 * step, order));
            c = c.add(IntVector.fromMemorySegment(Simd.I, s, at + 6 * step, order));
            d = d.add(IntVector.fromMemorySegment(Simd.I, s, at + 7 * step, order));
        }
        return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
    }

    /// Twelve independent chains of multiply-adds, which hides the latency of all units of the processors we know.
    private static float multiplyAdd(int turns) {
        FloatVector x = FloatVector.broadcast(Simd.F, 0.5f);
        FloatVector y = FloatVector.broadcast(Simd.F, 1f);
        FloatVector a = y;
        FloatVector b = y.mul(2);
        FloatVector c = y.mul(3);
        FloatVector d = y.mul(4);
        FloatVector e = y.mul(5);
        FloatVector f = y.mul(6);
        FloatVector g = y.mul(7);
        FloatVector h = y.mul(8);
        FloatVector i = y.mul(9);
        FloatVector j = y.mul(10);
        FloatVector k = y.mul(11);
        FloatVector l = y.mul(12);
        for (int turn = 0; turn < turns; turn++) {
            a = a.fma(x, y);
            b = b.fma(x, y);
            c = c.fma(x, y);
            d = d.fma(x, y);
            e = e.fma(x, y);
            f = f.fma(x, y);
            g = g.fma(x, y);
            h = h.fma(x, y);
            i = i.fma(x, y);
            j = j.fma(x, y);
            k = k.fma(x, y);
            l = l.fma(x, y);
        }
        FloatVector sum =
                a.add(b).add(c.add(d)).add(e.add(f)).add(g.add(h)).add(i.add(j).add(k.add(l)));
        return sum.lane(0);
    }
}
