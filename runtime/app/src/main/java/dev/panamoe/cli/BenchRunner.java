package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.cli.BenchResult.Setting;
import dev.panamoe.cli.BenchResult.Timing;
import dev.panamoe.engine.Benchmark;
import dev.panamoe.engine.Benchmark.Test;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Parity;
import dev.panamoe.engine.Profile;
import dev.panamoe.engine.Profiler;
import dev.panamoe.spi.Ceilings;
import dev.panamoe.spi.DeviceOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Runs all tests of all models on all backends, one after the other.
final class BenchRunner {
    /// Warm-up passes of tests that take next to no time.
    private static final int MOST_WARM_UPS = 1000;

    private static final long SEED = 42;

    private final Plan plan;
    private final Console console;
    private final Notes notes;
    private final Progress progress;
    private final Map<Place, Optional<Ceilings>> ceilings = new LinkedHashMap<>();

    /// A device with a kernel set and a number of threads: what ceilings belong to.
    ///
    /// @param kernels empty where there is no choice
    record Place(String device, String kernels, int threads) {}

    /// What to do.
    ///
    /// @param options what is the same for all
    /// @param warmUpSeconds each test is run at least once, and for at least so long, before it is timed
    /// @param parityTokens how many tokens are compared with the reference; 0 = none
    record Plan(
            List<String> models,
            List<String> backends,
            List<Integer> threads,
            List<String> kernels,
            List<Test> tests,
            int repeats,
            double warmUpSeconds,
            int parityTokens,
            boolean profile,
            EngineOptions options) {}

    BenchRunner(Plan plan, Console console, Notes notes) {
        this.plan = plan;
        this.console = console;
        this.notes = notes;
        this.progress = new Progress(console, notes);
    }

    List<BenchResult> run() {
        List<BenchResult> results = new ArrayList<>();
        try {
            for (String model : plan.models()) {
                Optional<Parity> parity = parity(model);
                for (String backend : plan.backends()) {
                    for (int threads : plan.threads()) {
                        for (String kernels : plan.kernels()) {
                            results.addAll(run(model, backend, threads, kernels, parity));
                        }
                    }
                }
            }
        } finally {
            progress.clear();
        }
        return results;
    }

    /// What was measured of each device.
    Map<Place, Optional<Ceilings>> ceilings() {
        return ceilings;
    }

    private int positions() {
        return Math.toIntExact(
                plan.tests().stream().mapToLong(Test::positions).max().orElseThrow());
    }

    private Engine open(String model, String backend, int threads, String kernels) {
        DeviceOptions device = plan.options().device().withThreads(threads).withKernels(kernels);
        return Engine.open(
                model, plan.options().withBackend(backend).withDevice(device).withContextLength(positions()));
    }

    private Optional<Parity> parity(String model) {
        if (plan.parityTokens() == 0) {
            return Optional.empty();
        }
        return Optional.of(new Parity(plan.parityTokens(), activations -> {
            progress.show(
                    model + ": the reference computes " + Count.of(plan.parityTokens(), "token") + " for parity…");
            return Engine.open(
                    model,
                    plan.options()
                            .withBackend("reference")
                            .withDevice(DeviceOptions.DEFAULT.withActivations(activations)));
        }));
    }

    private void checkContext(String model, Engine engine) {
        int trained = engine.spec().contextLength();
        for (Test test : plan.tests()) {
            if (test.positions() > trained) {
                throw new PanamoeException(model + ": " + test.name() + " at a depth of " + test.depth() + " takes "
                        + test.positions() + " positions, but the model was trained for " + trained
                        + "; use a smaller --depth, -p or -n");
            }
        }
    }

    private List<BenchResult> run(String model, String backend, int threads, String kernels, Optional<Parity> parity) {
        List<BenchResult> results = new ArrayList<>();
        progress.show(model + ": loading on " + backend + "…");
        try (Engine engine = open(model, backend, threads, kernels)) {
            checkContext(model, engine);
            BenchModel facts = BenchModel.of(model, engine);
            String device = engine.device().id();
            String where = facts.name() + ", " + device + ", " + Count.of(threads, "thread") + ", ";
            progress.show(where + "ceilings…");
            Optional<Ceilings> limits = ceilings.computeIfAbsent(
                    new Place(device, engine.kernels(), threads), p -> engine.measureCeilings());
            progress.show(where + "parity…");
            Optional<Parity.Result> checked = parity.map(p -> p.check(engine));
            try (Benchmark benchmark = new Benchmark(engine, positions(), SEED)) {
                Setting setting = new Setting(
                        facts,
                        device,
                        engine.kernels(),
                        threads,
                        benchmark.rows(),
                        engine.arithmetic(),
                        limits,
                        checked);
                checked.ifPresent(c -> tell(setting, c));
                for (Test test : plan.tests()) {
                    BenchResult untimed = new BenchResult(setting, test, Optional.empty());
                    results.add(
                            setting.failed()
                                    ? untimed
                                    : new BenchResult(
                                            setting,
                                            test,
                                            Optional.of(time(engine, benchmark, test, where + untimed.label()))));
                }
            }
        }
        return results;
    }

    private void tell(Setting setting, Parity.Result parity) {
        progress.clear();
        notes.print(
                console,
                setting.model().name() + ", " + setting.device() + ": "
                        + (parity.isSound() ? "parity with the reference" : "FAILED parity with the reference")
                        + String.format(
                                Locale.ROOT,
                                ": at most %.1e apart (%s), allowed is %.1e",
                                parity.difference(),
                                parity.where(),
                                parity.bound()));
    }

    private Timing time(Engine engine, Benchmark benchmark, Test test, String what) {
        progress.show(what + ": warm-up…");
        long begin = System.nanoTime();
        Profile work = profile(engine, benchmark, test);
        for (int i = 0; i < MOST_WARM_UPS && System.nanoTime() - begin < 1e9 * plan.warmUpSeconds(); i++) {
            benchmark.run(test);
        }
        List<Double> samples = new ArrayList<>();
        for (int i = 1; i <= plan.repeats(); i++) {
            progress.show(what + ": repeat " + i + " of " + plan.repeats() + "…");
            samples.add(1e9 * test.tokens() / benchmark.run(test));
        }
        Optional<Profile> profile = Optional.empty();
        for (int i = 1; plan.profile() && i <= plan.repeats(); i++) {
            progress.show(what + ": profile " + i + " of " + plan.repeats() + "…");
            Profile next = profile(engine, benchmark, test);
            // Means would be those of moments in which the system gave the cores to others.
            profile = profile.filter(best -> nanos(best) <= nanos(next)).or(() -> Optional.of(next));
        }
        return new Timing(
                samples,
                work.phases().stream().mapToLong(Profile.Phase::streamedBytes).sum(),
                work.phases().stream().mapToDouble(Profile.Phase::flops).sum(),
                profile);
    }

    private static long nanos(Profile profile) {
        return profile.phases().stream().mapToLong(Profile.Phase::nanos).sum();
    }

    /// Of the test alone, without what fills the context before it.
    private static Profile profile(Engine engine, Benchmark benchmark, Test test) {
        benchmark.prepare(test);
        try (Profiler profiler = engine.newProfiler()) {
            benchmark.run(test);
            return profiler.result();
        }
    }
}
