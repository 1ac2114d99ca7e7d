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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A step of generation, from a token to its logits, allocates nothing on the heap, whatever mechanisms a model has.
class StepAllocationTest {
    private static final int STEPS = 50;
    private static final int CONTEXT = 64;

    @ParameterizedTest
    @ValueSource(strings = {"gemma4-moe/q4_0", "gemma4-dense/q8_0", "deepseek-v3/mla-q8_0", "gpt-oss/mxfp4"})
    @Timeout(120)
    void generationAllocatesNothing(String name) {
        Fixture fixture = Fixture.all().stream()
                .filter(f -> f.name().equals(name))
                .findFirst()
                .orElseThrow();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        float[] logits = new float[fixture.vocabulary()];
        int[] token = fixture.prompts().getFirst();
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = GoldenTest.openAsByDefault("cpu");
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, 1);
                Caches caches = model.newCaches(CONTEXT, 1, CacheType.F16)) {
            double perStep = Double.MAX_VALUE;
            // The JIT compiles in the background: run until it is done, or fail after a minute of trying.
            long giveUp = System.nanoTime() + 60_000_000_000L;
            while (perStep >= 1 && System.nanoTime() < giveUp) {
                long before = threads.getTotalThreadAllocatedBytes();
                for (int position = 0; position < STEPS; position++) {
                    runner.forward(caches, token, 0, 1, position, Tap.NONE);
                    runner.logits(0, 1, logits, 0, Tap.NONE);
                }
                perStep = (threads.getTotalThreadAllocatedBytes() - before) / (double) STEPS;
            }
            assertThat(perStep).as("bytes a step").isLessThan(1);
        }
    }
}
