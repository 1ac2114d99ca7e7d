package dev.panamoe.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Parity;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The gate before benchmarks of models lets right backends through and no wrong ones.
class ParityTest {
    private static final String MODEL = "demo:gemma4";

    private static EngineOptions options(String backend, CacheType cache, DeviceOptions device) {
        return EngineOptions.DEFAULT
                .withBackend(backend)
                .withContextLength(64)
                .withCacheType(cache)
                .withDevice(device);
    }

    private static Parity parity(String model, int tokens, CacheType cache) {
        return new Parity(
                tokens,
                activations -> Engine.open(
                        model, options("reference", cache, DeviceOptions.DEFAULT.withActivations(activations))));
    }

    private static Parity.Result check(String model, int tokens, CacheType cache, String backend, Activations a) {
        try (Engine engine = Engine.open(model, options(backend, cache, DeviceOptions.DEFAULT.withActivations(a)))) {
            return parity(model, tokens, cache).check(engine);
        }
    }

    /// In step a right backend is closer than any rounding to fewer bits, whatever is rounded: the bound of 8 bits is
    /// for larger models, where some values round the other way.
    @ParameterizedTest
    @CsvSource({
        "demo:gemma4, F16, Q8",
        "demo:gemma4, Q4_0, Q8",
        "demo:gemma4, F16, F32",
        "demo:deepseek, F16, Q8",
        "demo:deepseek, F32, F32"
    })
    void theCpuPasses(String model, CacheType cache, Activations activations) {
        Parity.Result result = check(model, 5, cache, "cpu", activations);
        assertThat(result.isSound()).isTrue();
        assertThat(result.difference()).isBetween(1e-9, 1e-5);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "Q8"})
    void aLiarFails(Activations activations) {
        assertThat(check(MODEL, 4, CacheType.F16, LyingProvider.NAME, activations)
                        .isSound())
                .isFalse();
    }

    /// The last token is alone in its pass: kernels for one row are not those for many.
    @ParameterizedTest
    @EnumSource(names = {"F32", "Q8"})
    void aLieAboutOneTokenIsEnough(Activations activations) {
        Parity.Result result = check(MODEL, 4, CacheType.F16, LyingProvider.AboutOneToken.NAME, activations);
        assertThat(result.isSound()).isFalse();
        assertThat(result.where()).startsWith("ffn_moe_out of layer ").endsWith(", token 3");
    }

    /// Products of rounded activations are not those of the same activations as they are.
    @Test
    void whatIsRoundedMatters() {
        String model = "demo:deepseek";
        Parity other = new Parity(
                4,
                activations -> Engine.open(
                        model,
                        options("reference", CacheType.F16, DeviceOptions.DEFAULT.withActivations(Activations.F32))));
        try (Engine engine = Engine.open(model, options("cpu", CacheType.F16, DeviceOptions.DEFAULT))) {
            assertThat(engine.arithmetic()).isEqualTo(Arithmetic.INT8);
            assertThat(other.check(engine).isSound()).isFalse();
        }
    }

    /// The reference is slow: it computes once for all engines that give the same bits.
    @Test
    void theReferenceComputesNothingTwice() {
        List<Activations> opened = new ArrayList<>();
        Parity parity = new Parity(4, activations -> {
            opened.add(activations);
            return Engine.open(
                    MODEL, options("reference", CacheType.F16, DeviceOptions.DEFAULT.withActivations(activations)));
        });
        for (Activations activations : List.of(Activations.Q8, Activations.F32)) {
            for (int threads : new int[] {1, 2}) {
                DeviceOptions device = new DeviceOptions(threads).withActivations(activations);
                try (Engine engine = Engine.open(MODEL, options("cpu", CacheType.F16, device))) {
                    assertThat(parity.check(engine).isSound()).isTrue();
                }
            }
        }
        assertThat(opened).containsExactly(Activations.Q8, Activations.F32);
    }
}
