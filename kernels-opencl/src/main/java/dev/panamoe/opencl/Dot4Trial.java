package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceLostException;
import java.util.Optional;
import org.lwjgl.opencl.CL10;

/// Tries whether a device multiplies bytes the way that its driver promises: compilers differ in what they know of an
/// extension or of an assembler, and a wrong product would show as a wrong answer only.
final class Dot4Trial {
    private static final int ITEMS = 64;

    private Dot4Trial() {}

    /// @return what is wrong with the way of `device`; empty when it works
    /// @throws DeviceLostException when the device is gone
    static Optional<String> failure(ClDevice device, Kernels kernels, Memory memory, long queue) {
        int[] results = new int[2 * ITEMS];
        long buffer = memory.allocate(results.length * (long) Integer.BYTES, "a trial of dot products");
        try {
            kernels.get("dot4_trial", "dot4.cl", null, device.dot4Options())
                    .buffer(buffer)
                    .launch(queue, ITEMS, 1, 1, 1);
            Cl.checkDone(CL10.clEnqueueReadBuffer(queue, buffer, true, 0, results, null, null), "clEnqueueReadBuffer");
        } catch (DeviceLostException e) {
            throw e;
        } catch (PanamoeException e) {
            return Optional.of(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse("it fails"));
        } finally {
            memory.free(buffer);
        }
        for (int i = 0; i < ITEMS; i++) {
            int a = i * 0x9E3779B1 + 0x7F8081FF;
            int b = (a ^ (a >>> 15)) * 0x85EBCA77;
            int c = ((b ^ (b >>> 13)) * 0xC2B2AE3D) >>> 8;
            int permuted = device.dot4().way() == Dot4.Way.PTX ? permute(a, b, c & 0x7777) : 0;
            if (results[i] != dot(a, b, c) || results[ITEMS + i] != permuted) {
                return Optional.of("its products are wrong");
            }
        }
        return Optional.empty();
    }

    private static int dot(int a, int b, int c) {
        int sum = c;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            sum += (byte) (a >> shift) * (byte) (b >> shift);
        }
        return sum;
    }

    private static int permute(int a, int b, int selector) {
        long both = ((long) b << Integer.SIZE) | Integer.toUnsignedLong(a);
        int bytes = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            int from = (selector >> (4 * i)) & 7;
            bytes |= (int) ((both >> (Byte.SIZE * from)) & 0xFF) << (Byte.SIZE * i);
        }
        return bytes;
    }
}
