package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.ffm.ThreadAffinity;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WorkerPoolTest {
    /// Workers stay on the CPUs they are bound to; the caller goes where it went before.
    @Test
    void workersRunOnTheirCpusOnly() {
        BitSet before = ThreadAffinity.current().orElse(new BitSet());
        int cpu = Math.max(0, before.nextSetBit(0));
        Set<BitSet> seen = ConcurrentHashMap.newKeySet();
        try (WorkerPool pool = new WorkerPool(3, List.of(cpu))) {
            CountDownLatch all = new CountDownLatch(3);
            pool.run(3, (chunk, thread) -> {
                all.countDown();
                while (all.getCount() > 0) {
                    Thread.onSpinWait();
                }
                if (thread > 0) {
                    ThreadAffinity.current().ifPresent(seen::add);
                }
            });
        }
        if (!before.isEmpty()) {
            BitSet one = new BitSet();
            one.set(cpu);
            assertThat(seen).containsExactly(one);
        }
        assertThat(ThreadAffinity.current().orElse(new BitSet())).isEqualTo(before);
    }

    @Test
    void everyChunkIsDoneOnceInEveryOfManyTasks() {
        try (WorkerPool pool = new WorkerPool(4)) {
            for (int round = 0; round < 5000; round++) {
                int chunks = round % 23;
                AtomicIntegerArray done = new AtomicIntegerArray(23);
                pool.run(chunks, (chunk, thread) -> {
                    assertThat(thread).isBetween(0, 3);
                    done.incrementAndGet(chunk);
                });
                for (int i = 0; i < 23; i++) {
                    assertThat(done.get(i)).isEqualTo(i < chunks ? 1 : 0);
                }
                if (round % 500 == 0) {
                    // Long enough for workers to park.
                    LockSupport.parkNanos(1_000_000);
                }
            }
        }
    }

    @Test
    void littleLightWorkIsDoneByTheCaller() {
        try (WorkerPool pool = new WorkerPool(3)) {
            Thread caller = Thread.currentThread();
            AtomicInteger done = new AtomicInteger();
            pool.runLight(50, 32 * 1024 - 1, (chunk, thread) -> {
                assertThat(Thread.currentThread()).isSameAs(caller);
                assertThat(chunk).isEqualTo(done.getAndIncrement());
                assertThat(thread).isZero();
            });
            assertThat(done).hasValue(50);
            CountDownLatch all = new CountDownLatch(3);
            pool.runLight(3, 32 * 1024, (chunk, thread) -> {
                all.countDown();
                while (all.getCount() > 0) {
                    Thread.onSpinWait();
                }
            });
        }
    }

    @Test
    void whatAChunkThrowsReachesTheCallerAndThePoolLivesOn() {
        try (WorkerPool pool = new WorkerPool(3)) {
            AtomicInteger done = new AtomicInteger();
            assertThatThrownBy(() -> pool.run(50, (chunk, thread) -> {
                        done.incrementAndGet();
                        if (chunk == 17) {
                            throw new IllegalStateException("chunk 17");
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("chunk 17");
            assertThat(done).hasValue(50);
            pool.run(50, (chunk, thread) -> done.incrementAndGet());
            assertThat(done).hasValue(100);
        }
    }

    @Test
    void closingEndsTheThreads() {
        WorkerPool pool = new WorkerPool(3);
        pool.run(10, (chunk, thread) -> {});
        assertThat(workers()).isGreaterThanOrEqualTo(2);
        int before = workers();
        pool.close();
        assertThat(workers()).isEqualTo(before - 2);
        assertThatThrownBy(() -> pool.run(10, (chunk, thread) -> {})).isInstanceOf(IllegalStateException.class);
    }

    private static int workers() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().startsWith("panamoe-cpu-"))
                .count();
    }
}
