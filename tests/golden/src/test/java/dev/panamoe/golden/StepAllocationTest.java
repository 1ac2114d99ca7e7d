package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Device;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// A step of generation, from a token to its logits, allocates nothing on the heap, whatever mechanisms a model
/// has and whatever computes it; but for the reference, which is made to be read.
class StepAllocationTest {
    private static final int STEPS = 50;
    private static final int CONTEXT = 64;

    /// LWJGL makes a memory segment of 40 bytes of every pointer that it passes on. The JIT removes those of calls that
    /// it inlines, but not always those of the few flushes, writes and the read of a step. An object for each launch
    /// would be more than this.
    private static final double OPENCL_BYTES = 1000;

    private static final Set<String> FIXTURES =
            Set.of("gemma4-moe/q4_0", "gemma4-dense/q8_0", "deepseek-v3/mla-q8_0", "gpt-oss/mxfp4");

    static Stream<Arguments> fixtures() {
        return Backends.with(f -> FIXTURES.contains(f.name())).filter(a -> !a.get()[0].equals("reference"));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("fixtures")
    @Timeout(120)
    void generationAllocatesNothing(String backend, Fixture fixture) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        float[] logits = new float[fixture.vocabulary()];
        int[] token = fixture.prompts().getFirst();
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = GoldenTest.openAsByDefault(backend);
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, 1);
                Caches caches = model.newCaches(CONTEXT, 1, CacheType.F16)) {
            double most = backend.equals("opencl") ? OPENCL_BYTES : 1;
            double perStep = Double.MAX_VALUE;
            // The JIT compiles in the background: run until it is done, or fail after a minute of trying.
            long giveUp = System.nanoTime() + 60_000_000_000L;
            while (perStep >= most && System.nanoTime() < giveUp) {
                long before = threads.getTotalThreadAllocatedBytes();
                for (int position = 0; position < STEPS; position++) {
                    runner.forward(caches, token, 0, 1, position, Tap.NONE);
                    runner.logits(0, 1, logits, 0, Tap.NONE);
                }
                perStep = (threads.getTotalThreadAllocatedBytes() - before) / (double) STEPS;
            }
            assertThat(perStep).as("bytes a step").isLessThan(most);
        }
    }
}
