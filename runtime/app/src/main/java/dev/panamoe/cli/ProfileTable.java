package dev.panamoe.cli;

import dev.panamoe.engine.Profile;
import dev.panamoe.engine.Profile.Operation;
import dev.panamoe.engine.Profile.Phase;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Ceilings;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A {@link Profile} for people and for programs.
final class ProfileTable {
    static final String BETWEEN = "(between operations)";
    private static final List<String> HEADER =
            List.of("operation", "calls", "ms a pass", "share", "MB a pass", "GB/s", "GFLOP/s", "of ceiling");

    private final Optional<Ceilings> ceilings;
    private final Arithmetic arithmetic;

    ProfileTable(Optional<Ceilings> ceilings, Arithmetic arithmetic) {
        this.ceilings = ceilings;
        this.arithmetic = arithmetic;
    }

    /// `generation: 128 passes of 1 token, 4.56 ms each`.
    static String title(Phase phase) {
        long tokens = phase.tokens() / phase.passes();
        return (phase.generation() ? "generation: " : "prompt: ")
                + phase.passes() + (phase.passes() == 1 ? " pass of " : " passes of ")
                + (tokens * phase.passes() == phase.tokens() ? "" : "about ") + tokens
                + (tokens == 1 ? " token, " : " tokens, ") + Figures.short3(phase.nanos() / 1e6 / phase.passes())
                + " ms each";
    }

    /// Header and rows, by falling time.
    Table table(Phase phase) {
        Table table = new Table("lrrrrrrr");
        table.row(HEADER.toArray(String[]::new));
        rows(phase).forEach(row -> table.row(row.toArray(String[]::new)));
        return table;
    }

    private List<List<String>> rows(Phase phase) {
        List<List<String>> rows = new ArrayList<>();
        double passes = phase.passes();
        for (Operation o : phase.operations()) {
            double seconds = o.nanos() / 1e9;
            rows.add(List.of(
                    o.name(),
                    String.valueOf(o.calls()),
                    Figures.short3(1e3 * seconds / passes),
                    share(o.nanos(), phase),
                    Figures.short3(o.bytes() / 1e6 / passes),
                    Figures.short3(o.bytes() / seconds / 1e9),
                    o.flops() == 0 ? "" : Figures.short3(o.flops() / seconds / 1e9),
                    Figures.percent(ofCeiling(o))));
        }
        rows.add(List.of(
                BETWEEN,
                "",
                Figures.short3(phase.betweenNanos() / 1e6 / passes),
                share(phase.betweenNanos(), phase),
                "",
                "",
                "",
                ""));
        return rows;
    }

    private static String share(long nanos, Phase phase) {
        return String.format(Locale.ROOT, "%.1f %%", 100.0 * nanos / phase.nanos());
    }

    /// The time that memory and multiply-adds would take at their ceilings, whichever is longer, as a share of the time
    /// taken. Activations usually lie in caches, which the ceiling says nothing of.
    private Optional<Double> ofCeiling(Operation o) {
        return ceilings.filter(c -> o.streams())
                .map(c -> Math.max(o.bytes() / c.read(), o.flops() / c.operations(arithmetic)) / (o.nanos() / 1e9));
    }

    /// All phases with their titles.
    void print(Sink sink, Profile profile) {
        for (Phase phase : profile.phases()) {
            sink.println(title(phase));
            table(phase).print(sink, "  ");
        }
    }

    void describe(ArrayNode array, Profile profile) {
        for (Phase phase : profile.phases()) {
            ObjectNode object = array.addObject()
                    .put("phase", phase.generation() ? "generation" : "prompt")
                    .put("passes", phase.passes())
                    .put("tokens", phase.tokens())
                    .put("seconds", phase.nanos() / 1e9)
                    .put("seconds_between_operations", phase.betweenNanos() / 1e9);
            ArrayNode operations = object.putArray("operations");
            for (Operation o : phase.operations()) {
                ObjectNode row = operations
                        .addObject()
                        .put("operation", o.name())
                        .put("calls", o.calls())
                        .put("seconds", o.nanos() / 1e9)
                        .put("share", (double) o.nanos() / phase.nanos())
                        .put("bytes", o.bytes())
                        .put("flops", o.flops());
                ofCeiling(o).ifPresent(share -> row.put("of_ceiling", share));
            }
        }
    }
}
