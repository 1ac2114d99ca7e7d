package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Backends;
import dev.panamoe.engine.EmbeddedModels;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.spec.CacheType;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
            description = "GGUF file (of a split model the first), or an embedded model: demo:gemma4 (default), demo:deepseek.")
    private String model = EmbeddedModels.DEFAULT;

    @Option(
            names = "--backend",
            paramLabel = "B",
            description = "auto (default), cpu, opencl, cuda, reference, or a device such as cuda:1; see 'panamoe devices'.")
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
            description = "How keys and values are stored: f16 (default) or f32.")
    private CacheType cacheType = CacheType.F16;

    /// A file, or an embedded model.
    String model() {
        return model;
    }

    String backend() {
        return backend;
    }

    /// @throws ParameterException when a number is out of range or there is no such backend
    EngineOptions engineOptions() {
        atLeastOne("--threads", threads);
        atLeastOne("--ctx", context);
        checkBackend("--backend", backend);
        return checked(() -> new EngineOptions(backend, threads.orElse(0), context.orElse(0), cacheType));
    }

    /// Opens the model. The caller closes it.
    Engine open() {
        return Engine.open(model, engineOptions());
    }

    /// @throws ParameterException when no backend has this name, whether it is usable here or not
    void checkBackend(String option, String name) {
        List<String> known = Stream.concat(Stream.of(Backends.AUTO), Backends.survey().stream()
                        .map(Backends.Found::name))
                .toList();
        String family = name.contains(":") ? name.substring(0, name.indexOf(':')) : name;
        if (!known.contains(family)) {
            throw usage("Invalid value for option '" + option + "': there is no backend '" + name + "', there are "
                    + known.stream().collect(Collectors.joining(", ")));
        }
    }

    private void atLeastOne(String option, Optional<Integer> number) {
        if (number.isPresent() && number.get() < 1) {
            throw usage("Invalid value for option '" + option + "': " + number.get() + " is not 1 or more");
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

    ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
