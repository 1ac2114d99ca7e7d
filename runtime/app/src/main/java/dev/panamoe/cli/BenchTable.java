package dev.panamoe.cli;

import dev.panamoe.cli.BenchResult.Timing;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Results of a benchmark in lines and columns: for people as llama-bench shows them, and as CSV.
final class BenchTable {
    static final String FAILED = "FAILED parity";

    private static final List<String> HEADER = List.of(
            "model",
            "type",
            "size",
            "params",
            "backend",
            "threads",
            "test",
            "t/s",
            "min",
            "max",
            "reached",
            "of ceiling");
    private static final String LAYOUT = "llrrlrlrrrrr";

    private static final List<String> CSV_HEADER = List.of(
            "model",
            "architecture",
            "type",
            "size_bytes",
            "parameters",
            "backend",
            "kernels",
            "threads",
            "test",
            "depth",
            "repeats",
            "median_tokens_per_second",
            "min_tokens_per_second",
            "max_tokens_per_second",
            "bytes_per_second",
            "flops_per_second",
            "ceiling_share",
            "parity");

    private BenchTable() {}

    static void print(Sink sink, List<BenchResult> results) {
        Table table = new Table(LAYOUT);
        table.row(HEADER.toArray(String[]::new));
        results.forEach(r -> table.row(cells(r).toArray(String[]::new)));
        table.print(sink, "");
    }

    static void printMarkdown(Sink sink, List<BenchResult> results) {
        sink.println(markdown(HEADER));
        sink.println(LAYOUT.chars()
                .mapToObj(c -> c == 'r' ? " ---: " : " :--- ")
                .collect(Collectors.joining("|", "|", "|")));
        results.forEach(r -> sink.println(markdown(cells(r))));
    }

    private static String markdown(List<String> cells) {
        return cells.stream().map(c -> c.replace("|", "\\|")).collect(Collectors.joining(" | ", "| ", " |"));
    }

    private static List<String> cells(BenchResult r) {
        BenchModel model = r.setting().model();
        List<String> cells = new ArrayList<>(List.of(
                model.name(),
                model.type().name(),
                Table.size(model.bytes()),
                Figures.count(model.parameters()),
                r.setting().where(),
                String.valueOf(r.setting().threads()),
                r.label()));
        if (r.timing().isPresent()) {
            Timing t = r.timing().get();
            double achieved = r.achieved(t);
            cells.addAll(List.of(
                    Figures.rate(t.median()),
                    Figures.rate(t.min()),
                    Figures.rate(t.max()),
                    r.test().generation() ? Figures.gigabytes(achieved) : Figures.flops(achieved),
                    Figures.percent(r.share(t))));
        } else {
            cells.addAll(List.of(FAILED, "", "", "", ""));
        }
        return cells;
    }

    static void printCsv(Sink sink, List<BenchResult> results) {
        sink.println(csv(CSV_HEADER));
        for (BenchResult r : results) {
            BenchModel model = r.setting().model();
            List<String> cells = new ArrayList<>(List.of(
                    model.source(),
                    model.architecture(),
                    model.type().name(),
                    String.valueOf(model.bytes()),
                    String.valueOf(model.parameters()),
                    r.setting().device(),
                    r.setting().kernels(),
                    String.valueOf(r.setting().threads()),
                    r.test().name(),
                    String.valueOf(r.test().depth())));
            if (r.timing().isPresent()) {
                Timing t = r.timing().get();
                cells.addAll(List.of(
                        String.valueOf(t.samples().size()),
                        number(t.median()),
                        number(t.min()),
                        number(t.max()),
                        number(r.bytesPerSecond(t)),
                        number(r.flopsPerSecond(t)),
                        r.share(t).map(BenchTable::number).orElse("")));
            } else {
                cells.addAll(List.of("0", "", "", "", "", "", ""));
            }
            cells.add(
                    r.setting().parity().map(p -> p.isSound() ? "ok" : "FAILED").orElse("not checked"));
            sink.println(csv(cells));
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.6g", value);
    }

    /// Fields with separators, quotes or line ends are quoted (RFC 4180).
    private static String csv(List<String> cells) {
        return cells.stream()
                .map(c -> c.matches("[^\",\r\n]*") ? c : '"' + c.replace("\"", "\"\"") + '"')
                .collect(Collectors.joining(","));
    }
}
