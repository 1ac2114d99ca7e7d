package dev.panamoe.golden;

import dev.panamoe.spi.BackendProvider;
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

    private Backends() {}

    /// (name of a backend, fixture)
    static Stream<Arguments> with(Predicate<Fixture> chosen) {
        List<Fixture> fixtures = Fixture.all().stream().filter(chosen).toList();
        return names().flatMap(b -> fixtures.stream().filter(f -> !isLong(b, f)).map(f -> Arguments.of(b, f)));
    }

    private static Stream<String> names() {
        String only = System.getProperty("panamoe.test.backend", "");
        return BackendProvider.all().stream()
                .filter(p -> p.probe() instanceof Probe.Usable)
                .map(BackendProvider::name)
                .filter(name -> only.isEmpty() || only.equals(name));
    }

    private static boolean isLong(String backend, Fixture fixture) {
        return backend.equals("opencl") && !Boolean.getBoolean("panamoe.slow") && !QUICK.contains(fixture.name());
    }
}
