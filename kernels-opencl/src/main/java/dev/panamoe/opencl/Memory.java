package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceLostException;
import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/// The device memory of a context, counted: OpenCL does not say how much is free, and many drivers allocate only when a
/// buffer is first used, so that running out shows late and far away.
final class Memory {
    private final ClDevice device;
    private final long context;
    private final long queue;
    private final long total;
    private final Map<Long, Long> sizes = new HashMap<>();
    private long used;
    private long frees;

    Memory(ClDevice device, long context, long queue) {
        this.device = device;
        this.context = context;
        this.queue = queue;
        this.total = device.globalMemory();
    }

    long free() {
        return total - used;
    }

    /// The most that one buffer may take now.
    long largest() {
        return Math.min(free(), device.maxAllocation());
    }

    /// How many buffers were given back so far.
    long frees() {
        return frees;
    }

    /// Refuses what would not fit in all, before parts of it are allocated.
    void require(long bytes, String what) {
        if (bytes > free()) {
            throw tooLarge(bytes, what, free(), null);
        }
    }

    /// @param what for messages: "a buffer of 12 values"
    /// @throws DeviceLostException when the device is gone
    /// @throws PanamoeException when it does not fit: how much was wanted, how much there is
    long allocate(long bytes, String what) {
        if (bytes > largest()) {
            throw tooLarge(bytes, what, largest(), null);
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer error = stack.mallocInt(1);
            long buffer = CL10.clCreateBuffer(context, CL10.CL_MEM_READ_WRITE, bytes, error);
            if (ClErrors.isLostDevice(error.get(0))) {
                Cl.check(error.get(0), "clCreateBuffer for " + what);
            }
            if (error.get(0) != CL10.CL_SUCCESS) {
                throw tooLarge(bytes, what, largest(), ClErrors.name(error.get(0)));
            }
            sizes.put(buffer, bytes);
            used += bytes;
            return buffer;
        }
    }

    /// Zeroed, which makes the driver allocate it now.
    long allocateZeroed(long bytes, String what) {
        long rounded = Math.ceilDiv(bytes, (long) Integer.BYTES) * Integer.BYTES;
        long buffer = allocate(rounded, what);
        try {
            zero(buffer, rounded);
        } catch (DeviceLostException e) {
            throw e;
        } catch (PanamoeException e) {
            free(buffer);
            throw tooLarge(bytes, what, largest(), e.getMessage());
        }
        return buffer;
    }

    void zero(long buffer, long bytes) {
        fill(buffer, 0, 0, bytes);
    }

    /// Records that `value` is written again and again.
    ///
    /// @param from, bytes multiples of 4
    void fill(long buffer, int value, long from, long bytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long pattern = stack.nmalloc(Integer.BYTES, Integer.BYTES);
            MemoryUtil.memPutInt(pattern, value);
            Cl.checkQueued(
                    CL12.nclEnqueueFillBuffer(
                            queue, buffer, pattern, Integer.BYTES, from, bytes, 0, MemoryUtil.NULL, MemoryUtil.NULL),
                    queue,
                    "clEnqueueFillBuffer");
        }
    }

    void free(long buffer) {
        Long bytes = sizes.remove(buffer);
        if (bytes != null) {
            used -= bytes;
            frees++;
            CL10.clReleaseMemObject(buffer);
        }
    }

    void freeAll() {
        sizes.keySet().forEach(CL10::clReleaseMemObject);
        sizes.clear();
        used = 0;
    }

    private PanamoeException tooLarge(long bytes, String what, long available, @Nullable String error) {
        return new PanamoeException(device.id() + ": " + what + " takes " + bytes + " bytes, available are "
                + available + (error == null ? "" : " (" + error + ")")
                + "; use a smaller model, a smaller --ctx or --backend cpu");
    }
}
