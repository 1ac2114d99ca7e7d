package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Backends;
import dev.panamoe.engine.EmbeddedModels;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe.Usable;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Which model, and on what it runs: the same for every command that runs one.
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

    @Option(
            names = {"-m", "--model"},
            paramLabel = "M",
            description =
                    "GGUF file (of a split model the first), or an embedded model: demo:gemma4 (default), demo:deepseek.")
    private Optional<String> model = Optional.empty();

    @Option(
            names = "--backend",
            paramLabel = "B",
            description =
                    "auto (default), cpu, opencl, cuda, reference, or a device such as cuda:1; see 'panamoe devices'.")
    private String backend = Backends.AUTO;

    @Option(names = "--threads", paramLabel = "N", description = "Host threads; by default as the backend thinks best.")
    private Optional<Integer> threads = Optional.empty();

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            description = "Positions of the context; by default the model's own, but at most "
                    + EngineOptions.DEFAULT_CONTEXT + ".")
    private Optional<Integer> context = Optional.empty();

    @Option(
            names = "--cache-type",
            paramLabel = "T",
            description =
                    "How keys and values are stored: f32, f16, bf16, q8_0 or q4_0; by default f16, for verify f32.")
    private Optional<CacheType> cacheType = Optional.empty();

    @Option(
            names = "--cpu-kernels",
            paramLabel = "K",
            description = "Kernels of the backend cpu: auto (default), or one that 'panamoe devices' lists, such as"
                    + " vector or avx2.")
    private String kernels = DeviceOptions.AUTO;

    @Mixin
    private ComputeOptions compute = new ComputeOptions();

    /// A file, or an embedded model.
    String model() {
        return model.orElse(EmbeddedModels.DEFAULT);
    }

    /// Whether the user named one.
    boolean isGiven() {
        return model.isPresent();
    }

    String backend() {
        return backend;
    }

    /// @throws ParameterException when a number is out of range or there is no such backend
    EngineOptions engineOptions() {
        return engineOptions(EngineOptions.DEFAULT.cacheType());
    }

    /// @param storage of keys and values if the user named none
    /// @throws ParameterException when a number is out of range or there is no such backend
    EngineOptions engineOptions(CacheType storage) {
        atLeastOne("--threads", threads);
        atLeastOne("--ctx", context);
        checkBackend("--backend", backend);
        return checked(() -> new EngineOptions(
                backend,
                compute.deviceOptions(threads.orElse(0), kernels),
                context.orElse(0),
                cacheType.orElse(storage),
                EngineOptions.DEFAULT.ifDeviceLost()));
    }

    /// @throws ParameterException when no backend, usable here or not, and no device has this name
    void checkBackend(String option, String name) {
        unknownBackend(name).ifPresent(problem -> {
            throw invalid(option, problem);
        });
    }

    /// Why no backend, usable here or not, and no device has this name; empty when one has.
    static Optional<String> unknownBackend(String name) {
        if (name.equals(Backends.AUTO)) {
            return Optional.empty();
        }
        String family = name.contains(":") ? name.substring(0, name.indexOf(':')) : name;
        Optional<BackendProvider> found = BackendProvider.all().stream()
                .filter(p -> p.name().equals(family))
                .findFirst();
        if (found.isEmpty()) {
            return Optional.of("there is no backend '" + name + "', there are " + Backends.AUTO + ", "
                    + Backends.survey().stream().map(Backends.Found::name).collect(Collectors.joining(", ")));
        }
        if (!name.equals(family) && found.get().probe() instanceof Usable usable) {
            List<String> ids = usable.devices().stream().map(DeviceInfo::id).toList();
            if (!ids.contains(name)) {
                return Optional.of(
                        "there is no device '" + name + "', of " + family + " there is " + String.join(", ", ids));
            }
        }
        return Optional.empty();
    }

    /// @throws ParameterException when there is a number below 1
    void atLeastOne(String option, Optional<Integer> number) {
        if (number.isPresent() && number.get() < 1) {
            throw invalid(option, number.get() + " is not 1 or more");
        }
    }

    /// What the library calls out of range is wrong usage when it comes from the command line.
    <T> T checked(Supplier<T> options) {
        try {
            return options.get();
        } catch (PanamoeException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    /// In picocli's words for a value that it cannot read.
    ParameterException invalid(String option, String message) {
        return usage("Invalid value for option '" + option + "': " + message);
    }

    ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
