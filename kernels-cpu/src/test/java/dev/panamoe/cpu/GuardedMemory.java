package dev.panamoe.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Memory behind which lies a page that ends the process when it is touched.
final class GuardedMemory {
    private static final long PAGE = 1 << 16; // the largest that is in use
    private static final MethodHandle MPROTECT = mprotect();

    private GuardedMemory() {}

    static MemorySegment allocate(Arena arena, byte[] contents) {
        long whole = (contents.length + PAGE - 1) / PAGE * PAGE;
        MemorySegment memory = arena.allocate(whole + PAGE, PAGE);
        protect(memory.asSlice(whole), 0);
        return memory.asSlice(whole - contents.length, contents.length).copyFrom(MemorySegment.ofArray(contents));
    }

    /// Takes the guard away, as whoever frees the memory may touch it.
    static void release(MemorySegment memory) {
        protect(MemorySegment.ofAddress(memory.address() + memory.byteSize()), 3);
    }

    private static void protect(MemorySegment page, int how) {
        try {
            if ((int) MPROTECT.invokeExact(page, PAGE, how) != 0) {
                throw new IllegalStateException("mprotect refused");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    // Guarding memory is beyond what Java has.
    @SuppressWarnings("restricted")
    private static MethodHandle mprotect() {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().find("mprotect").orElseThrow(),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    }
}
