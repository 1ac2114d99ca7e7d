package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.cli.BenchResult.Timing;
import dev.panamoe.cli.BenchRunner.Place;
import dev.panamoe.cli.BenchRunner.Plan;
import dev.panamoe.engine.Backends;
import dev.panamoe.engine.Benchmark.Test;
import dev.panamoe.engine.EmbeddedModels;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Ceilings;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `panamoe bench`: how fast models run on the backends of this machine, and how far that is from what it can do.
@Command(
        name = "bench",
        sortOptions = false,
        description = {
            "Times prompts (pp) and generation (tg) and prints tokens a second: the median of the repeats, the least"
                    + " and the most. Lists are separated by commas, and options may be repeated.",
            "Tokens are random but the same each time. Generation feeds given tokens and computes the logits of each:"
                    + " no sampler is in the time. Beside it stands what was reached of the memory's speed (tg) or of"
                    + " the multiply-adds (pp), and how much that is of the ceiling measured just before.",
            "What each backend computes of a few tokens is first compared with the reference, step by step; one that"
                    + " fails is not timed, and the exit code is 1."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe bench --model model.gguf",
            "  panamoe bench --model a.gguf --model b.gguf --threads 1,2,4 -p 128,512 -n none",
            "  panamoe bench --model model.gguf -p none -n 64 --depth 0,4096 --profile",
            "  panamoe bench --ceilings                            what the machine can do"
        })
final class BenchCommand implements Callable<Integer> {
    private static final String NONE = "none";

    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // picocli puts the real one here

    @Option(
            names = {"-m", "--model"},
            paramLabel = "M",
            description = "GGUF file or embedded model; by default " + EmbeddedModels.DEFAULT + ".")
    private List<String> models = new ArrayList<>();

    @Option(
            names = "--backend",
            paramLabel = "B",
            split = ",",
            hideParamSyntax = true,
            description = "auto (default), a backend or a device; see 'panamoe devices'.")
    private List<String> backends = new ArrayList<>();

    @Option(
            names = "--threads",
            paramLabel = "N",
            split = ",",
            hideParamSyntax = true,
            description = "Host threads; by default one a performance core.")
    private List<Integer> threads = new ArrayList<>();

    @Option(
            names = "--cpu-kernels",
            paramLabel = "K",
            split = ",",
            hideParamSyntax = true,
            description = "Kernels of the backend cpu: auto (default), or some that 'panamoe devices' lists.")
    private List<String> kernels = new ArrayList<>();

    @Mixin
    private ComputeOptions compute = new ComputeOptions();

    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "N",
            split = ",",
            hideParamSyntax = true,
            description = "Tokens of a prompt; by default 512; none leaves prompts out.")
    private List<String> prompts = new ArrayList<>();

    @Option(
            names = {"-n", "--generate"},
            paramLabel = "N",
            split = ",",
            hideParamSyntax = true,
            description = "Tokens to generate; by default 128; none leaves generation out.")
    private List<String> generations = new ArrayList<>();

    @Option(
            names = {"-d", "--depth"},
            paramLabel = "N",
            split = ",",
            hideParamSyntax = true,
            description = "Tokens that the context holds before; by default 0.")
    private List<Integer> depths = new ArrayList<>();

    @Option(
            names = {"-r", "--repeats"},
            paramLabel = "N",
            description = "How often each test is timed; by default ${DEFAULT-VALUE}.",
            defaultValue = "5")
    private int repeats;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            description = "Each test is run once before it is timed, and again until so many seconds have passed; by"
                    + " default ${DEFAULT-VALUE}.",
            defaultValue = "2")
    private double warmUp;

    @Option(
            names = "--cache-type",
            paramLabel = "T",
            description = "How keys and values are stored: f32, f16 (default), bf16, q8_0 or q4_0.")
    private CacheType cacheType = EngineOptions.DEFAULT.cacheType();

    @Option(
            names = "--parity-tokens",
            paramLabel = "N",
            description =
                    "How many tokens are compared with the reference, which is slow; by default ${DEFAULT-VALUE}.",
            defaultValue = "4")
    private int parityTokens;

    @Option(names = "--no-parity", description = "Compares nothing, and says so in the results.")
    private boolean noParity;

    @Option(
            names = "--profile",
            description =
                    "Repeats each test as often again with each operation measured, and shows the time and the work of"
                            + " each in the fastest repeat.")
    private boolean profile;

    @Option(names = "--ceilings", description = "Measures only what the device can do, without a model.")
    private boolean onlyCeilings;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Writes one HTML page with plots, which opens without a network.")
    private Optional<Path> report = Optional.empty();

    @Option(names = "--markdown", description = "Prints the table in Markdown.")
    private boolean markdown;

    @Option(names = "--csv", description = "Prints comma-separated values.")
    private boolean csv;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Mixin
    private Notes notes = new Notes();

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        check();
        double load = BenchJson.load();
        if (onlyCeilings) {
            return ceilings(load);
        }
        Plan plan = new Plan(
                models.isEmpty() ? List.of(EmbeddedModels.DEFAULT) : models,
                backends(),
                threads(),
                kernels(),
                tests(),
                repeats,
                warmUp,
                noParity ? 0 : parityTokens,
                profile,
                EngineOptions.DEFAULT
                        .withCacheType(cacheType)
                        .withDevice(compute.deviceOptions(0, DeviceOptions.AUTO)));
        if (report.isPresent()) {
            BenchReport.check(report.get(), plan.models());
        }
        // One that is not usable here is told before the others are timed for minutes.
        plan.backends().forEach(Backends::choose);
        warnOfLoad(load);
        BenchRunner runner = new BenchRunner(plan, console, notes);
        List<BenchResult> results = runner.run();
        print(results, runner.ceilings(), load);
        if (report.isPresent()) {
            BenchReport.write(report.get(), BenchJson.describe(results, runner.ceilings(), load));
        }
        List<String> failed = results.stream()
                .filter(r -> r.setting().failed())
                .map(r -> r.setting().device() + " with " + r.setting().model().name())
                .distinct()
                .toList();
        if (!failed.isEmpty()) {
            throw new PanamoeException(String.join(", ", failed)
                    + ": it does not compute what the reference does, so nothing was timed; see 'panamoe verify'");
        }
        return ExitCode.DONE;
    }

    private void check() {
        if (Stream.of(markdown, csv, json).filter(f -> f).count() > 1) {
            throw usage("--markdown, --csv and --json exclude each other");
        }
        if (csv && (profile || onlyCeilings)) {
            throw usage("--csv has no place for --profile and --ceilings; use --json");
        }
        if (onlyCeilings && (report.isPresent() || profile || !models.isEmpty())) {
            throw usage("--ceilings measures no model; leave out --model, --profile and --report");
        }
        for (String backend : backends) {
            ModelOptions.unknownBackend(backend).ifPresent(problem -> {
                throw invalid("--backend", problem);
            });
        }
        for (int n : threads) {
            atLeast("--threads", n, 1);
            try {
                EngineOptions.DEFAULT.withThreads(n);
            } catch (PanamoeException e) {
                throw usage(String.valueOf(e.getMessage()));
            }
        }
        depths.forEach(n -> atLeast("--depth", n, 0));
        atLeast("-r", repeats, 1);
        atLeast("--parity-tokens", parityTokens, 1);
        if (!(warmUp >= 0 && warmUp <= 3600)) {
            throw invalid("--warm-up", warmUp + " is not between 0 and 3600 seconds");
        }
    }

    private List<String> backends() {
        return backends.isEmpty() ? List.of(Backends.AUTO) : backends;
    }

    private List<Integer> threads() {
        return threads.isEmpty() ? List.of(Math.max(1, CpuInfo.read().performance())) : threads;
    }

    private List<String> kernels() {
        return kernels.isEmpty() ? List.of(DeviceOptions.AUTO) : kernels;
    }

    private List<Test> tests() {
        List<Test> tests = new ArrayList<>();
        for (int depth : depths.isEmpty() ? List.of(0) : depths) {
            sizes("-p", prompts, 512).forEach(n -> tests.add(new Test(false, n, depth)));
            sizes("-n", generations, 128).forEach(n -> tests.add(new Test(true, n, depth)));
        }
        if (tests.isEmpty()) {
            throw usage("-p none and -n none leave nothing to time");
        }
        if (tests.stream().anyMatch(t -> t.positions() > Integer.MAX_VALUE)) {
            throw usage("--depth and the tokens of a test are more than any context holds");
        }
        return tests;
    }

    private List<Integer> sizes(String option, List<String> values, int byDefault) {
        if (values.isEmpty()) {
            return List.of(byDefault);
        }
        if (values.equals(List.of(NONE))) {
            return List.of();
        }
        List<Integer> sizes = new ArrayList<>();
        for (String value : values) {
            int size;
            try {
                size = Integer.parseInt(value.strip());
            } catch (NumberFormatException e) {
                throw invalid(option, "'" + value + "' is neither a number of tokens nor " + NONE);
            }
            if (size < 1) {
                throw invalid(option, size + " is not 1 or more; '" + option + " none' leaves these tests out");
            }
            sizes.add(size);
        }
        return sizes;
    }

    private void warnOfLoad(double load) {
        int cores = CpuInfo.read().physical();
        if (load > cores / 4.0) {
            notes.print(
                    console,
                    String.format(
                            Locale.ROOT,
                            "warning: other programs were running (load average %.1f on %s); a benchmark wants a quiet"
                                    + " machine",
                            load,
                            Count.of(cores, "core")));
        }
    }

    private int ceilings(double load) throws IOException {
        Map<Place, Optional<Ceilings>> all = new LinkedHashMap<>();
        for (String backend : backends()) {
            for (int n : threads()) {
                for (String set : kernels()) {
                    try (Device device = Backends.choose(backend).open(compute.deviceOptions(n, set))) {
                        Place place = new Place(device.info().id(), device.kernels(), n);
                        all.computeIfAbsent(place, p -> device.measureCeilings());
                    }
                }
            }
        }
        if (json) {
            Json.print(console.out(), Json.object().set("machine", BenchJson.machine(all, load)));
        } else {
            printCeilings(all, true);
        }
        return ExitCode.DONE;
    }

    /// Names kernels only where a device has several sets.
    private void printCeilings(Map<Place, Optional<Ceilings>> all, boolean each) {
        all.forEach((place, c) -> {
            boolean several = all.keySet().stream()
                    .anyMatch(p ->
                            p.device().equals(place.device()) && !p.kernels().equals(place.kernels()));
            String device = several ? place.device() + " " + place.kernels() : place.device();
            printCeilings(device + ", " + Count.of(place.threads(), "thread") + ": ", c, each);
        });
    }

    private void printCeilings(String where, Optional<Ceilings> measured, boolean each) {
        if (measured.isEmpty()) {
            console.out().println(where + "this device cannot measure what it can do");
            return;
        }
        Ceilings c = measured.get();
        console.out()
                .println(where + "reads " + Figures.gigabytes(c.read()) + ", multiply-adds of f32 "
                        + Figures.flops(c.flops())
                        + (c.int8Ops().isPresent()
                                ? ", of 8-bit integers "
                                        + Figures.flops(c.int8Ops().getAsDouble())
                                                .replace("FLOP", "OP")
                                : ""));
        for (int i = 0; each && i < c.readBytesPerSecond().size() - 1; i++) {
            console.out()
                    .println("  reads with " + Count.of(i + 1, "thread") + ": "
                            + Figures.gigabytes(c.readBytesPerSecond().get(i)));
        }
    }

    private void print(List<BenchResult> results, Map<Place, Optional<Ceilings>> ceilings, double load)
            throws IOException {
        Sink out = console.out();
        if (json) {
            Json.print(out, BenchJson.describe(results, ceilings, load));
        } else if (csv) {
            BenchTable.printCsv(out, results);
        } else {
            if (markdown) {
                BenchTable.printMarkdown(out, results);
            } else {
                BenchTable.print(out, results);
            }
            out.println("");
            printCeilings(ceilings, false);
            results.stream()
                    .filter(r -> !r.test().generation()
                            && r.setting().rows() < r.test().tokens())
                    .map(r -> r.setting().model().name() + ": prompts are passed in chunks of at most "
                            + r.setting().rows() + " tokens")
                    .distinct()
                    .forEach(out::println);
            results.stream()
                    .map(BenchResult::setting)
                    .filter(s -> s.arithmetic() == Arithmetic.INT8
                            && s.ceilings().filter(m -> m.int8Ops().isEmpty()).isPresent())
                    .map(s -> s.device() + ": products are of 8-bit integers, and pp is held against multiply-adds of"
                            + " f32")
                    .distinct()
                    .forEach(out::println);
            if (noParity) {
                out.println("parity was not checked");
            }
            results.forEach(this::printProfile);
        }
        out.flush();
    }

    private void printProfile(BenchResult result) {
        result.timing().flatMap(Timing::profile).ifPresent(p -> {
            Sink out = console.out();
            out.println("");
            out.println(
                    result.setting().model().name() + ", " + result.setting().where() + ", "
                            + Count.of(result.setting().threads(), "thread") + ", " + result.label());
            ProfileTable table = new ProfileTable(
                    result.setting().ceilings(), result.setting().arithmetic());
            table.print(out, p);
        });
    }

    private void atLeast(String option, int number, int least) {
        if (number < least) {
            throw invalid(option, number + " is not " + least + " or more");
        }
    }

    private ParameterException invalid(String option, String message) {
        return usage("Invalid value for option '" + option + "': " + message);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
