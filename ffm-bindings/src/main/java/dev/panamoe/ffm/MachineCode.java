package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Puts machine code that was compiled ahead into memory, where [java.lang.foreign.Linker] can call it. The memory is
/// first writable and then executable, never both at once.
public final class MachineCode {
    private static final int READ_EXECUTE = 5;

    private MachineCode() {}

    /// How loading ended.
    public sealed interface Outcome {}

    /// The code is in memory.
    ///
    /// @param code read-only, executable, at the beginning of a page; it stays as long as the process
    public record Loaded(MemorySegment code) implements Outcome {}

    /// It is not: `why` is never [CallResult.Done]. Hardened systems forbid memory that was written to be executed.
    public record Refused(CallResult why) implements Outcome {}

    /// Copies position-independent code into new memory and makes it executable. The caller vouches that the
    /// processor has the instructions.
    public static Outcome load(byte[] code) {
        if (!LargeMemory.canMap() || Holder.MPROTECT.isEmpty()) {
            return new Refused(CallResult.unsupported("executable memory"));
        }
        if (code.length == 0) {
            return new Refused(new CallResult.Failed(0, "there is no code"));
        }
        LibC.Answer mapped = LargeMemory.map(code.length);
        CallResult result = LibC.result(mapped, "mmap of " + code.length + " bytes");
        if (!result.ok()) {
            return new Refused(result);
        }
        MemorySegment memory = at(mapped.value(), code.length);
        MemorySegment.copy(code, 0, memory, JAVA_BYTE, 0, code.length);
        LibC.Answer answer = LibC.call(Holder.MPROTECT.get(), (f, state) ->
                (int) f.invokeExact(state, memory, (long) code.length, READ_EXECUTE));
        result = LibC.result(answer, "mprotect of " + code.length + " bytes as executable");
        if (!result.ok()) {
            LargeMemory.unmap(memory);
            return new Refused(result);
        }
        // On Arm, instructions are fetched past the caches that the copy went through. macOS has a call for that;
        // Linux does it itself when a page is first made executable; x86 needs nothing.
        Holder.SYNCHRONISE.ifPresent(synchronise -> LibC.invoke(() -> {
            synchronise.invokeExact(memory, (long) code.length);
            return 0;
        }));
        return new Loaded(memory.asReadOnly());
    }

    // The system gives an address; the length is what was asked for.
    @SuppressWarnings("restricted")
    private static MemorySegment at(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    private static final class Holder {
        static final Optional<MethodHandle> MPROTECT =
                LibC.withErrno("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
        static final Optional<MethodHandle> SYNCHRONISE =
                LibC.plain("sys_icache_invalidate", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
    }
}
