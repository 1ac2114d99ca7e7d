package dev.panamoe.opencl;

import org.lwjgl.opencl.CL10;

/// Counts launches, and sees to it that the device begins with them while the host records more. A runtime may keep
/// what is recorded until it is flushed, and the first thing in a step that flushes by itself is the read at its end:
/// a device that begins then was idle while the host recorded all layers.
final class Launches {
    /// A flush after so many launches. A device has work for some tens of microseconds with them, longer than the host
    /// takes to record as many more; a flush for each launch would cost about as much as the launch.
    private static final int FLUSHED = 8;

    private long count;

    /// One more is in the queue.
    void recorded(long queue) {
        count++;
        if (count % FLUSHED == 0) {
            Cl.checkQueued(CL10.clFlush(queue), queue, "clFlush");
        }
    }

    long count() {
        return count;
    }
}
