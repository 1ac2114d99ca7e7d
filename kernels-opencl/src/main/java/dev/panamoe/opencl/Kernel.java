package dev.panamoe.opencl;

import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/// A kernel with the arguments of its next launch: they are given in the order of its signature, then it is launched.
final class Kernel {
    private final String name;
    private final long handle;
    private int next;

    Kernel(String name, long handle) {
        this.name = name;
        this.handle = handle;
    }

    /// A buffer.
    Kernel buffer(long buffer) {
        Cl.check(CL10.clSetKernelArg1p(handle, next++, buffer), name);
        return this;
    }

    Kernel value(int value) {
        Cl.check(CL10.clSetKernelArg1i(handle, next++, value), name);
        return this;
    }

    Kernel value(long value) {
        Cl.check(CL10.clSetKernelArg1l(handle, next++, value), name);
        return this;
    }

    Kernel value(float value) {
        Cl.check(CL10.clSetKernelArg1f(handle, next++, value), name);
        return this;
    }

    /// Records a launch of (x, y, z) work-groups of `group` work-items each.
    void launch(long queue, int group, long x, long y, long z) {
        next = 0;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer global = stack.pointers(x * group, y, z);
            PointerBuffer local = stack.pointers(group, 1, 1);
            Cl.check(CL10.clEnqueueNDRangeKernel(queue, handle, 3, null, global, local, null, null), name);
        }
    }

    void release() {
        CL10.clReleaseKernel(handle);
    }
}
