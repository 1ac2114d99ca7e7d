package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// What the system should expect of a range of memory: `madvise`. Advice changes speed and never contents.
public enum MemoryAdvice {
    /// No particular pattern; takes back an earlier advice.
    NORMAL(0, 0),
    /// Single pages here and there: reading ahead is a waste. Experts of a model larger than memory.
    RANDOM(1, 1),
    /// From front to back, once: read ahead far, drop what lies behind.
    SEQUENTIAL(2, 2),
    /// Wanted soon: begin to read it in. Returns before it is there.
    WILL_NEED(3, 3),
    /// Not wanted soon: its memory may be taken away. Only of a mapped file, whose pages can be read again; of other
    /// memory the call would destroy the contents, and is refused. Of a private writable mapping it drops what was
    /// written.
    DONT_NEED(4, 4),
    /// Use huge pages where the system can. Linux only, and there only for kinds of memory that have them.
    HUGE_PAGES(14, MemoryAdvice.NONE);

    private static final int NONE = -1;

    private final int linux;
    private final int mac;

    MemoryAdvice(int linux, int mac) {
        this.linux = linux;
        this.mac = mac;
    }

    /// Gives this advice for the pages of a native or mapped segment. The range grows to whole pages, except for
    /// [#DONT_NEED], for which it shrinks to the pages that lie wholly inside. A hint: the caller may ignore
    /// a refusal.
    public CallResult apply(MemorySegment segment) {
        int constant = Os.isLinux() ? linux : Os.isMac() ? mac : NONE;
        if (constant == NONE) {
            return CallResult.unsupported("memory advice " + this);
        }
        if (!segment.isNative()) {
            return new CallResult.Failed(0, "memory advice is for native memory, not for a Java array");
        }
        if (this == DONT_NEED && !segment.isMapped()) {
            return new CallResult.Failed(0, "memory that no file backs would lose its contents");
        }
        Pages pages = this == DONT_NEED ? Pages.inside(segment) : Pages.covering(segment);
        if (pages.bytes() == 0) {
            return CallResult.done();
        }
        Optional<MethodHandle> madvise = Holder.MADVISE;
        if (madvise.isEmpty()) {
            return CallResult.unsupported("madvise");
        }
        LibC.Answer answer = LibC.call(
                madvise.get(), (f, state) -> (int) f.invokeExact(state, pages.address(), pages.bytes(), constant));
        return LibC.result(answer, "madvise " + this + " of " + segment.byteSize() + " bytes");
    }

    private static final class Holder {
        static final Optional<MethodHandle> MADVISE =
                LibC.withErrno("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    }
}
