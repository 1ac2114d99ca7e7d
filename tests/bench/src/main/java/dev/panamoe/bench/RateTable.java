package dev.panamoe.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/// What a reader wants instead of operations a second: the time of a call, and how much it read and multiplied.
final class RateTable {
    private RateTable() {}

    /// The median of the iterations, and the fastest and slowest of them.
    static List<String> lines(Collection<RunResult> results) {
        List<String> lines = new ArrayList<>();
        Map<String, String> common = common(results);
        common.forEach((key, value) -> lines.add(key + " = " + value));
        lines.add(String.format("%-14s %10s %21s %8s %9s  %s", "operation", "ms", "", "GB/s", "GMAC/s", "of"));
        for (RunResult result : results) {
            Result<?> calls = result.getPrimaryResult();
            Statistics rates = calls.getStatistics();
            double median = rates.getPercentile(50);
            lines.add(String.format(
                    Locale.ROOT,
                    "%-14s %10.4f %10.4f..%-9.4f %8s %9s  %s",
                    calls.getLabel(),
                    1e3 / median,
                    1e3 / rates.getMax(),
                    1e3 / rates.getMin(),
                    rate(result, "gigabytes", median),
                    rate(result, "gigamacs", median),
                    others(result.getParams(), common)));
        }
        return lines;
    }

    /// A call's work is the same in every iteration, so that its rate follows from that of the calls.
    private static String rate(RunResult result, String counter, double median) {
        double perCall = result.getSecondaryResults().get(counter).getScore()
                / result.getPrimaryResult().getScore();
        return perCall == 0 ? "" : String.format(Locale.ROOT, "%.1f", perCall * median);
    }

    /// Parameters with the same value wherever a benchmark has them.
    private static Map<String, String> common(Collection<RunResult> results) {
        Map<String, Set<String>> values = new TreeMap<>();
        for (RunResult result : results) {
            for (String key : result.getParams().getParamsKeys()) {
                values.computeIfAbsent(key, k -> new TreeSet<>())
                        .add(result.getParams().getParam(key));
            }
        }
        Map<String, String> common = new TreeMap<>();
        values.forEach((key, all) -> {
            if (all.size() == 1) {
                common.put(key, all.iterator().next());
            }
        });
        return common;
    }

    private static String others(BenchmarkParams params, Map<String, String> common) {
        StringJoiner joiner = new StringJoiner(" ");
        for (String key : params.getParamsKeys()) {
            if (!common.containsKey(key)) {
                joiner.add(key + "=" + params.getParam(key));
            }
        }
        return joiner.toString();
    }
}
