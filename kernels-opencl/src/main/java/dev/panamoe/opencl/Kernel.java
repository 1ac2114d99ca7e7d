package dev.panamoe.opencl;

import java.util.Arrays;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.Pointer;

/// A kernel with the arguments of its next launch: they are given in the order of its signature, then it is launched.
/// An argument that is what it was at the launch before is not given to the driver again, which costs a good part of a
/// launch.
final class Kernel {
    private static final int ARGUMENTS = 32;
    private static final int DIMENSIONS = 3;

    /// For messages.
    private final String what;

    private final long handle;

    /// The bits of the arguments that the driver has.
    private final long[] has = new long[ARGUMENTS];

    private final boolean[] given = new boolean[ARGUMENTS];
    private int next;

    private final Memory memory;
    private final Launches launches;
    private long frees;

    Kernel(String name, long handle, Memory memory, Launches launches) {
        this.what = "the kernel " + name;
        this.handle = handle;
        this.memory = memory;
        this.launches = launches;
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
            set(buffer, Pointer.POINTER_SIZE);
        }
        return this;
    }

    Kernel value(int value) {
        if (changes(value)) {
            set(value, Integer.BYTES);
        }
        return this;
    }

    Kernel value(float value) {
        if (changes(Float.floatToRawIntBits(value))) {
            set(Float.floatToRawIntBits(value), Float.BYTES);
        }
        return this;
    }

    /// Gives the latest argument to the driver.
    ///
    /// @param bits in the order of bytes that all machines have that this runs on: the lowest first
    private void set(long bits, int bytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            // By its address: LWJGL's own way for buffers makes an object each time.
            long value = stack.nmalloc(Long.BYTES, Long.BYTES);
            MemoryUtil.memPutLong(value, bits);
            int code = CL10.nclSetKernelArg(handle, next - 1, bytes, value);
            forgetIf(code);
            Cl.check(code, what);
        }
    }

    /// Records a launch of (x, y, z) work-groups of `group` work-items each.
    void launch(long queue, int group, long x, long y, long z) {
        next = 0;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            // By addresses: views of this memory would be two objects a launch.
            long global = sizes(stack, x * group, y, z);
            long local = sizes(stack, group, 1, 1);
            int code = CL10.nclEnqueueNDRangeKernel(
                    queue, handle, DIMENSIONS, MemoryUtil.NULL, global, local, 0, MemoryUtil.NULL, MemoryUtil.NULL);
            forgetIf(code);
            Cl.checkQueued(code, queue, what);
        }
        launches.recorded(queue);
    }

    private static long sizes(MemoryStack stack, long x, long y, long z) {
        long address = stack.nmalloc(Pointer.POINTER_SIZE, DIMENSIONS * Pointer.POINTER_SIZE);
        MemoryUtil.memPutAddress(address, x);
        MemoryUtil.memPutAddress(address + Pointer.POINTER_SIZE, y);
        MemoryUtil.memPutAddress(address + 2L * Pointer.POINTER_SIZE, z);
        return address;
    }

    /// What was given to the driver is not known any more after an error.
    private void forgetIf(int code) {
        if (code != CL10.CL_SUCCESS) {
            Arrays.fill(given, false);
            next = 0;
        }
    }

    void release() {
        CL10.clReleaseKernel(handle);
    }
}
