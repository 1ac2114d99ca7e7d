package dev.panamoe.opencl;

import java.nio.IntBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/// Prints what the provider finds, for tests that need a process of their own. With an argument it starts LWJGL too,
/// and uses what needs its native library.
final class ProbeMain {
    private ProbeMain() {}

    public static void main(String[] args) {
        long begin = System.nanoTime();
        String found = new OpenClProvider().probe().toString();
        System.out.println(found);
        System.out.println((System.nanoTime() - begin) / 1_000_000 + " ms");
        if (args.length > 0) {
            ClSurvey.startLwjgl();
            try (MemoryStack stack = MemoryStack.stackPush()) {
                IntBuffer count = stack.mallocInt(1);
                Cl.check(CL10.clGetPlatformIDs(null, count), "clGetPlatformIDs");
                System.out.println(count.get(0) > 0 ? "LWJGL runs" : "no platform");
            }
        }
    }
}
