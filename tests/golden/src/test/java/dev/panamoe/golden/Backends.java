package dev.panamoe.golden;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/// On which backends fixtures are computed: all that this machine has, or the one that the system property
/// `panamoe.test.backend` names.
final class Backends {
    /// What OpenCL computes in every build: a model of each kind of attention and of experts. A processor takes seconds
    /// to compile the kernels of each shape, so that the others have their turn under the profile `slow`.
    private static final List<String> QUICK = List.of("gemma4-moe/q4_0", "deepseek-v3/mla-q8_0", "gpt-oss/mxfp4");

    /// The same with activations of 8 bits, whose kernels are further programs.
    private static final List<String> QUICK_IN_EIGHT_BITS = List.of("gemma4-moe/q4_0");

    private Backends() {}

    /// (name of a backend, fixture)
    static Stream<Arguments> with(Predicate<Fixture> chosen) {
        List<Fixture> fixtures = Fixture.all().stream().filter(chosen).toList();
        return usable().map(BackendProvider::name)
                .flatMap(
                        b -> fixtures.stream().filter(f -> !isLong(b, f, QUICK)).map(f -> Arguments.of(b, f)));
    }

    /// (name of a backend, one of its sets of kernels, fixture), without the backend that defines results.
    static Stream<Arguments> inEightBits(Predicate<Fixture> chosen) {
        List<Fixture> fixtures = Fixture.all().stream().filter(chosen).toList();
        return usable().filter(p -> !p.name().equals("reference"))
                .flatMap(p -> (p.kernels().isEmpty() ? List.of(DeviceOptions.AUTO) : p.kernels())
                        .stream()
                                .flatMap(k -> fixtures.stream()
                                        .filter(f -> !isLong(p.name(), f, QUICK_IN_EIGHT_BITS))
                                        .map(f -> Arguments.of(p.name(), k, f))));
    }

    private static Stream<BackendProvider> usable() {
        String only = System.getProperty("panamoe.test.backend", "");
        return BackendProvider.all().stream()
                .filter(p -> p.probe() instanceof Probe.Usable)
                .filter(p -> only.isEmpty() || only.equals(p.name()));
    }

    private static boolean isLong(String backend, Fixture fixture, List<String> quick) {
        return backend.equals("opencl") && !Boolean.getBoolean("panamoe.slow") && !quick.contains(fixture.name());
    }
}
