package dev.panamoe.cpu;

import dev.panamoe.ffm.ThreadAffinity;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A few threads that work off the chunks of one task at a time; the caller is one of them.
///
/// A token takes some hundreds of tasks of a few microseconds to milliseconds, so workers spin for a moment before they
/// park, and chunks are handed out one by one: a worker that the system has taken off its core holds up one chunk, not
/// a fixed share of the work. Running a task allocates nothing.
final class WorkerPool implements AutoCloseable {
    /// What is done in chunks, in any order and on any thread.
    interface Task {
        /// @param chunk from 0 on
        /// @param thread who does it, 0 to {@link #threads} - 1: an index for scratch memory
        void run(int chunk, int thread);
    }

    /// How long an idle worker spins. A decode step has a pause of at most some tens of microseconds between tasks.
    private static final long SPIN_NANOS = 50_000;

    private static final long WAIT_NANOS = 10_000;

    private static final int SPINS_PER_CLOCK_READ = 64;

    /// With fewer values, to wake the workers takes as long as work of a few instructions a value.
    private static final int LIGHT_BELOW = 32 * 1024;

    private static final Task NOTHING = (chunk, thread) -> {};

    /// Number of the task in the upper half, chunks not yet handed out in the lower. Taking a chunk is a
    /// compare-and-set on both, so a worker that slept through a task can never take a chunk of the next by an old
    /// count.
    private final AtomicLong tickets = new AtomicLong();

    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final List<Worker> workers = new ArrayList<>();
    private final BitSet cpus = new BitSet();
    private Task task = NOTHING;
    private int chunks;
    private volatile boolean closed;

    /// Threads that the system may run on any CPU.
    ///
    /// @param threads at least 1, the caller included
    WorkerPool(int threads) {
        this(threads, List.of());
    }

    /// @param threads at least 1, the caller included
    /// @param cpus that the workers, not the caller, are bound to, all to all of them; empty = any. For processors with
    ///     cores of two kinds: the system may leave a thread that often waits on a slow one
    WorkerPool(int threads, List<Integer> cpus) {
        cpus.forEach(this.cpus::set);
        for (int i = 1; i < threads; i++) {
            Worker worker = new Worker(i);
            workers.add(worker);
            worker.thread.start();
        }
    }

    int threads() {
        return workers.size() + 1;
    }

    /// Does chunks 0 to `count - 1` of `work` and returns when all are done.
    ///
    /// @throws RuntimeException or Error what a chunk threw; the other chunks are done all the same
    void run(int count, Task work) {
        if (count <= 1 || workers.isEmpty()) {
            runAlone(count, work);
            return;
        }
        if (closed) {
            throw new IllegalStateException("the device is closed");
        }
        task = work;
        chunks = count;
        finished.set(0);
        // Publishes the fields above.
        tickets.set((((tickets.get() >>> 32) + 1) << 32) | count);
        int helpers = Math.min(count - 1, workers.size());
        for (int i = 0; i < helpers; i++) {
            Worker worker = workers.get(i);
            if (worker.parked) {
                LockSupport.unpark(worker.thread);
            }
        }
        while (takeOne(0)) {}
        for (int spins = 0; finished.get() < count; spins++) {
            if (spins < 1000) {
                Thread.onSpinWait();
            } else {
                // A worker has lost its core in the middle of a chunk.
                LockSupport.parkNanos(WAIT_NANOS);
            }
        }
        task = NOTHING;
        Throwable thrown = failure.getAndSet(null);
        if (thrown instanceof Error e) {
            throw e;
        }
        if (thrown instanceof RuntimeException e) {
            throw e;
        }
    }

    /// As {@link #run}, for work of a few instructions a value, as to quantise or to copy: when it is little, the
    /// caller does it alone.
    ///
    /// @param values of all chunks together
    void runLight(int count, int values, Task work) {
        if (values < LIGHT_BELOW) {
            runAlone(count, work);
        } else {
            run(count, work);
        }
    }

    private static void runAlone(int count, Task work) {
        for (int i = 0; i < count; i++) {
            work.run(i, 0);
        }
    }

    /// Binds the calling thread, to those of the CPUs that the process was started on. Refused, it runs where the
    /// system likes.
    private void pin() {
        ThreadAffinity.current().ifPresent(allowed -> {
            allowed.and(cpus);
            if (!allowed.isEmpty()) {
                ThreadAffinity.pin(allowed);
            }
        });
    }

    private boolean takeOne(int thread) {
        long ticket = tickets.get();
        int left = (int) ticket;
        if (left == 0) {
            return false;
        }
        if (!tickets.compareAndSet(ticket, ticket - 1)) {
            return true;
        }
        // The task cannot end before this chunk is counted, so its fields are those of the ticket.
        try {
            task.run(chunks - left, thread);
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        } finally {
            finished.incrementAndGet();
        }
        return true;
    }

    /// Ends the threads.
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            while (worker.thread.isAlive()) {
                try {
                    worker.thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker implements Runnable {
        private final int index;
        private final Thread thread;
        private volatile boolean parked;

        Worker(int index) {
            this.index = index;
            this.thread =
                    Thread.ofPlatform().daemon().name("panamoe-cpu-" + index).unstarted(this);
        }

        @Override
        public void run() {
            pin();
            long idleSince = System.nanoTime();
            for (int spins = 1; !closed; spins++) {
                if (takeOne(index)) {
                    while (takeOne(index)) {}
                    idleSince = System.nanoTime();
                } else if (spins % SPINS_PER_CLOCK_READ != 0 || System.nanoTime() - idleSince < SPIN_NANOS) {
                    Thread.onSpinWait();
                } else {
                    parked = true;
                    // Whoever hands out chunks after this line sees `parked`; what was handed out before is seen here.
                    if ((int) tickets.get() == 0 && !closed) {
                        LockSupport.park(this);
                    }
                    parked = false;
                    idleSince = System.nanoTime();
                }
            }
        }
    }
}
