package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;
import java.util.Optional;

/// Which logical CPUs the calling thread may run on. Linux only; elsewhere the system decides alone.
public final class ThreadAffinity {
    /// Bytes of the largest mask that is tried: 65,536 CPUs, more than Linux can be built for.
    private static final int LARGEST_MASK = 8192;

    private static final int SMALLEST_MASK = 128;
    private static final int CALLING_THREAD = 0;
    private static final int EINVAL = 22;

    private ThreadAffinity() {}

    /// The CPUs that the calling platform thread may run on, by their number in Linux; empty where that is not known.
    public static Optional<BitSet> current() {
        if (!Os.isLinux() || Holder.GET.isEmpty()) {
            return Optional.empty();
        }
        for (int size = SMALLEST_MASK; size <= LARGEST_MASK; size *= 2) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment mask = arena.allocate(size, Long.BYTES);
                long bytes = size;
                LibC.Answer answer = LibC.call(
                        Holder.GET.get(), (f, state) -> (int) f.invokeExact(state, CALLING_THREAD, bytes, mask));
                if (answer.value() >= 0) {
                    return Optional.of(BitSet.valueOf(mask.toArray(JAVA_BYTE)));
                }
                if (answer.errno() != EINVAL) { // EINVAL: the mask is smaller than the kernel's
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    /// Lets the calling platform thread run on these CPUs only. A virtual thread is refused: it would bind whichever
    /// thread carries it.
    public static CallResult pin(BitSet cpus) {
        if (!Os.isLinux() || Holder.SET.isEmpty()) {
            return CallResult.unsupported("binding threads to CPUs");
        }
        if (Thread.currentThread().isVirtual()) {
            return new CallResult.Failed(0, "a virtual thread cannot be bound to CPUs");
        }
        if (cpus.length() > LARGEST_MASK * Byte.SIZE) {
            return new CallResult.Failed(0, "no CPU has the number " + (cpus.length() - 1));
        }
        byte[] bits = cpus.toByteArray();
        int size = Math.max(SMALLEST_MASK, (bits.length + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(size, Long.BYTES);
            MemorySegment.copy(bits, 0, mask, JAVA_BYTE, 0, bits.length);
            long bytes = size;
            LibC.Answer answer =
                    LibC.call(Holder.SET.get(), (f, state) -> (int) f.invokeExact(state, CALLING_THREAD, bytes, mask));
            return LibC.result(answer, "binding the thread to CPUs " + cpus);
        }
    }

    private static final class Holder {
        private static final FunctionDescriptor DESCRIPTOR =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
        static final Optional<MethodHandle> GET = LibC.withErrno("sched_getaffinity", DESCRIPTOR);
        static final Optional<MethodHandle> SET = LibC.withErrno("sched_setaffinity", DESCRIPTOR);
    }
}
