package dev.panamoe.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What a device counts as free once a model and its caches are there stays free: a long prompt and a step at the end
/// of the context allocate nothing more.
class ReservedMemoryTest {
    private static final int ROWS = 40;
    private static final int CONTEXT = 1000;
    private static final long BUDGET = 16L << 20;

    /// Of the CPU, what other processes take cannot be told from what this one does.
    static Stream<Arguments> devicesWithMemoryOfTheirOwn() {
        return Backends.with(f -> f.name().equals("gemma4-moe/q4_0") || f.name().equals("gpt-oss/mxfp4"))
                .filter(a -> a.get()[0].equals("opencl"))
                .flatMap(a -> Stream.of(Activations.F32, Activations.Q8)
                        .filter(activations -> activations == Activations.F32
                                || ((Fixture) a.get()[1]).name().equals("gemma4-moe/q4_0"))
                        .map(activations -> Arguments.of(a.get()[0], a.get()[1], activations)));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devicesWithMemoryOfTheirOwn")
    void nothingIsAllocatedInTheMiddleOfARequest(String backend, Fixture fixture, Activations activations) {
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = GoldenTest.open(backend, DeviceOptions.DEFAULT.withActivations(activations));
                Model model = Model.load(file, Architectures.read(file), device);
                Runner runner = new Runner(model, ROWS);
                Caches caches = model.newCaches(CONTEXT, ROWS, CacheType.F16)) {
            long free = device.freeMemory();
            float[] logits = new float[fixture.vocabulary()];
            runner.forward(caches, new int[ROWS], 0, ROWS, 0, Tap.NONE);
            runner.forward(caches, new int[1], 0, 1, CONTEXT - 1, Tap.NONE);
            runner.logits(0, 1, logits, 0, Tap.NONE);
            assertThat(device.freeMemory()).isEqualTo(free);
        }
    }

    /// The context that the message recommends fits, caches and what attention over them needs, and not much more does.
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devicesWithMemoryOfTheirOwn")
    void theRecommendedContextFits(String backend, Fixture fixture, Activations activations) {
        try (GgufFile file = GgufFile.open(fixture.model());
                Device device = GoldenTest.open(backend, DeviceOptions.DEFAULT.withActivations(activations));
                Model model = Model.load(file, Architectures.read(file), withFreeMemory(device, BUDGET));
                Runner runner = new Runner(model, ROWS)) {
            for (CacheType type : new CacheType[] {CacheType.F16, CacheType.Q8_0}) {
                int recommended = recommended(model, type);
                long free = device.freeMemory();
                try (Caches caches = model.newCaches(recommended, ROWS, type)) {
                    runner.forward(caches, new int[1], 0, 1, recommended - 1, Tap.NONE);
                    assertThat(free - device.freeMemory()).isBetween(BUDGET - BUDGET / 16, BUDGET);
                }
            }
        }
    }

    private static int recommended(Model model, CacheType type) {
        try (Caches caches = model.newCaches(1 << 24, ROWS, type)) {
            throw new AssertionError(caches.contextLength() + " positions fit");
        } catch (PanamoeException e) {
            return Integer.parseInt(String.valueOf(e.getMessage()).replaceAll("(?s).* at most ", ""));
        }
    }

    /// The same device, which says that so much is free.
    private static Device withFreeMemory(Device device, long bytes) {
        return (Device) Proxy.newProxyInstance(
                Device.class.getClassLoader(), new Class<?>[] {Device.class}, (proxy, method, args) -> {
                    try {
                        return method.getName().equals("freeMemory") ? bytes : method.invoke(device, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
