package dev.panamoe.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.spi.Ops;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Every benchmark in sizes of a toy: that it runs, that its result is right on every device of this machine, and that
/// a wrong one would be found.
class BenchmarksTest {
    /// Off the edges of vectors and tiles.
    private static ChainedOptionsBuilder toy(String benchmark, Mode mode) {
        return new OptionsBuilder()
                .include("\\." + benchmark + "$")
                .forks(0)
                .mode(mode)
                .warmupIterations(0)
                .measurementIterations(1)
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .param("threads", "2")
                .param("type", "Q4_0", "F16")
                .param("tokens", "5")
                .param("rows", "37")
                .param("cols", "96")
                .param("kvRows", "21")
                .param("width", "64")
                .param("heads", "4")
                .param("headRows", "19")
                .param("headCols", "32")
                .param("headSize", "32")
                .param("kvHeads", "2")
                .param("positions", "70")
                .param("experts", "6")
                .param("used", "2")
                .param("vocabulary", "301")
                .param("memory", "0");
    }

    private static Set<String> benchmarks() {
        return BenchmarkList.defaultList()
                .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of())
                .stream()
                .map(BenchmarkListEntry::getUsername)
                .map(name -> name.substring(name.lastIndexOf('.') + 1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void everyOperationHasItsBenchmark() {
        Set<String> operations = Stream.concat(
                        Arrays.stream(Ops.class.getMethods()).map(Method::getName), Stream.of("upload"))
                .collect(Collectors.toSet());
        assertThat(benchmarks()).containsExactlyInAnyOrderElementsOf(operations);
    }

    @TestFactory
    Stream<DynamicTest> isRightOnEveryDevice() {
        String[] devices = honest(Devices.names());
        String[] backends = honest(Devices.backends());
        return benchmarks().stream()
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    Collection<RunResult> results = new Runner(toy(name, Mode.SingleShotTime)
                                    .param("device", devices)
                                    .param("backend", backends)
                                    .build())
                            .run();
                    assertThat(results).isNotEmpty();
                }));
    }

    private static String[] honest(List<String> names) {
        return names.stream()
                .filter(name -> !name.startsWith(LyingProvider.NAME))
                .toArray(String[]::new);
    }

    @TestFactory
    Stream<DynamicTest> aWrongResultIsFound() {
        return benchmarks().stream()
                .map(name -> DynamicTest.dynamicTest(
                        name,
                        () -> assertThatThrownBy(() -> new Runner(toy(name, Mode.SingleShotTime)
                                                .param("device", LyingProvider.NAME)
                                                .param("backend", LyingProvider.NAME)
                                                .build())
                                        .run())
                                .isInstanceOf(RunnerException.class)
                                .hasStackTraceContaining("wrong result on liar: ")));
    }

    @Test
    void ratesOfACall() throws RunnerException {
        Collection<RunResult> results = new Runner(toy("matmul", Mode.Throughput)
                        .param("device", "cpu:none", "cpu:vector")
                        .measurementTime(TimeValue.milliseconds(20))
                        .build())
                .run();
        List<String> lines = RateTable.lines(results);
        assertThat(lines).contains("rows = 37", "tokens = 5");
        assertThat(lines.getLast())
                .matches("matmul +[\\d.]+ +[\\d.]+\\.\\.[\\d.]+ +\\d+\\.\\d +\\d+\\.\\d  device=cpu:vector type=F16");
    }
}
