package dev.panamoe.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.spi.Probe;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// OpenCL's kernels under [Oclgrind](https://github.com/jrprice/Oclgrind), a simulator of a device that looks at each
/// access of each work-item: beside a buffer, of two work-items at once, of local memory before a barrier, and wrong
/// arguments of calls. It takes minutes for the suite's smaller tests, and so is of the profile `slow`.
@EnabledIfSystemProperty(named = "panamoe.slow", matches = "true")
@DisabledIfSystemProperty(named = "panamoe.cpu.vectorBits", matches = ".*", disabledReason = "is no test of cpu")
class OclgrindTest {
    /// Where Debian and Ubuntu put the library that the loader opens.
    private static final Path LIBRARY = Path.of("/usr/lib/oclgrind/liboclgrind-rt-icd.so");

    /// Every kernel in at least one of its forms. Attention asks for more local memory than the simulator has.
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "OCLGRIND_CHECK_API", "1",
            "OCLGRIND_DATA_RACES", "1",
            "OCLGRIND_LOCAL_MEM_SIZE", "262144",
            "OCLGRIND_MAX_ERRORS", "20",
            "PANAMOE_OPENCL_CACHE", "0");

    private static final List<String> TESTS = List.of(
            "RowConformanceTest",
            "RouterConformanceTest",
            "MatmulConformanceTest#matmulOfSomeTokens",
            "MatmulConformanceTest#twoWeightsAtOnce",
            "MatmulConformanceTest#matmulOfLargeAndSmallValues",
            "ExpertsConformanceTest#unusedExpertsAreNotRead",
            "ExpertsConformanceTest#someTokens",
            "AttentionConformanceTest#groupedHeadsAndSizes",
            "AttentionConformanceTest#valuesInKeys",
            "AttentionConformanceTest#everyTypeRoundsAsTheReference",
            "AttentionConformanceTest#largeScoresPickOnePosition",
            "AttentionConformanceTest#manyQueriesOnOneKeyHead");

    /// What differs with activations of 8 bits.
    private static final List<String> TESTS_IN_EIGHT_BITS = List.of("MatmulConformanceTest#matmulOfSomeTokens");

    @Test
    @Timeout(600)
    void reportsNothing(@TempDir Path folder) throws IOException, InterruptedException {
        reportsNothing(folder, "auto", TESTS);
    }

    @Test
    @Timeout(300)
    void reportsNothingInEightBits(@TempDir Path folder) throws IOException, InterruptedException {
        reportsNothing(folder, "q8", TESTS_IN_EIGHT_BITS);
    }

    private static void reportsNothing(Path folder, String activations, List<String> tests)
            throws IOException, InterruptedException {
        if (System.getenv("PANAMOE_REQUIRE_ALL") == null) {
            assumeThat(LIBRARY).as("package oclgrind").exists();
        }
        assertThat(LIBRARY).as("package oclgrind").exists();
        Files.writeString(Files.createDirectory(folder.resolve("vendors")).resolve("oclgrind.icd"), LIBRARY + "\n");
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dpanamoe.test.backend=opencl",
                "-Dpanamoe.test.once=true",
                "-Dpanamoe.test.activations=" + activations,
                "-cp",
                System.getProperty("java.class.path"),
                Suite.class.getName()));
        command.addAll(tests);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(ENVIRONMENT);
        builder.environment().put("OCL_ICD_VENDORS", folder.resolve("vendors").toString());
        builder.environment().put("OCLGRIND_LOG", log.toString());
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("exit code; the suite printed: %s", out)
                .isZero();
        assertThat(Files.exists(log) ? Files.readString(log) : "")
                .as("Oclgrind's report")
                .isEmpty();
    }

    /// Runs the tests that it is given, `class` or `class#method`, and exits with 1 unless they all pass on Oclgrind.
    static final class Suite {
        private Suite() {}

        public static void main(String[] tests) {
            for (Backend backend : Backends.all()) {
                String device = ((Probe.Usable) backend.provider().probe())
                        .devices()
                        .getFirst()
                        .description();
                if (!device.contains("Oclgrind")) {
                    System.out.println(backend + " computes on " + device);
                    System.exit(1);
                }
            }
            List<DiscoverySelector> selectors = new ArrayList<>();
            for (String test : tests) {
                String name = Suite.class.getPackageName() + "." + test;
                selectors.add(
                        test.contains("#")
                                ? DiscoverySelectors.selectMethod(name)
                                : DiscoverySelectors.selectClass(name));
            }
            SummaryGeneratingListener listener = new SummaryGeneratingListener();
            LauncherFactory.create()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(selectors)
                                    .build(),
                            listener);
            TestExecutionSummary summary = listener.getSummary();
            summary.printTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
            summary.getFailures().forEach(f -> System.out.println(f.getTestIdentifier() + ": " + f.getException()));
            boolean allPassed = summary.getTestsSucceededCount() == summary.getTestsFoundCount();
            System.exit(allPassed && summary.getTestsFoundCount() >= tests.length ? 0 : 1);
        }
    }
}
