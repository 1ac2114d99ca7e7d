package dev.panamoe.opencl;

import java.util.Arrays;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/// A kernel with the arguments of its next launch: they are given in the order of its signature, then it is launched.
/// An argument that is what it was at the launch before is not given to the driver again, which costs a good part of a
/// launch.
final class Kernel {
    private static final int ARGUMENTS = 32;

    private final String name;
    private final long handle;

    /// The bits of the arguments that the driver has.
    private final long[] has = new long[ARGUMENTS];

    private final boolean[] given = new boolean[ARGUMENTS];
    private int next;

    private final Memory memory;
    private long frees;

    Kernel(String name, long handle, Memory memory) {
        this.name = name;
        this.handle = handle;
        this.memory = memory;
    }

    /// Begins with the first argument.
    Kernel begin() {
        next = 0;
        return this;
    }

    /// Whether the next argument is other bits than the driver has; it has them afterwards.
    private boolean changes(long bits) {
        int i = next++;
        if (i == 0 && frees != memory.frees()) {
            // A new buffer may have the handle of one that is gone.
            frees = memory.frees();
            Arrays.fill(given, false);
        }
        if (given[i] && has[i] == bits) {
            return false;
        }
        given[i] = true;
        has[i] = bits;
        return true;
    }

    /// A buffer.
    Kernel buffer(long buffer) {
        if (changes(buffer)) {
            check(CL10.clSetKernelArg1p(handle, next - 1, buffer));
        }
        return this;
    }

    Kernel value(int value) {
        if (changes(value)) {
            check(CL10.clSetKernelArg1i(handle, next - 1, value));
        }
        return this;
    }

    Kernel value(float value) {
        if (changes(Float.floatToRawIntBits(value))) {
            check(CL10.clSetKernelArg1f(handle, next - 1, value));
        }
        return this;
    }

    /// Records a launch of (x, y, z) work-groups of `group` work-items each.
    void launch(long queue, int group, long x, long y, long z) {
        next = 0;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer global = stack.pointers(x * group, y, z);
            PointerBuffer local = stack.pointers(group, 1, 1);
            check(CL10.clEnqueueNDRangeKernel(queue, handle, 3, null, global, local, null, null));
        }
    }

    private void check(int code) {
        if (code != CL10.CL_SUCCESS) {
            // What was given is not known any more.
            Arrays.fill(given, false);
            next = 0;
            Cl.check(code, "the kernel " + name);
        }
    }

    void release() {
        CL10.clReleaseKernel(handle);
    }
}
