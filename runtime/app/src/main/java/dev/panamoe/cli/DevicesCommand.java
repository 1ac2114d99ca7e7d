package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Backends;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.Probe.Unusable;
import dev.panamoe.spi.Probe.Usable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe devices`: what could compute here.
@Command(
        name = "devices",
        sortOptions = false,
        description = "Lists every backend with its devices, or why it is not usable here and what to do about it;"
                + " then which one is taken without --backend.",
        footerHeading = "%nExamples:%n",
        footer = {"  panamoe devices", "  panamoe devices --json | jq -r .auto"})
final class DevicesCommand implements Callable<Integer> {
    /// Characters of a line of facts, about.
    private static final int LINE = 90;

    private final Console console;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    DevicesCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        List<Backends.Found> all = Backends.survey();
        Optional<Backends.Choice> auto = choose();
        if (json) {
            Json.print(console.out(), describe(all, auto));
        } else {
            all.forEach(this::print);
            console.out().println("");
            if (auto.isPresent()) {
                console.out()
                        .println("--backend auto takes " + auto.get().device().id());
                auto.get().reasons().forEach(r -> console.out().println("  " + r));
            } else {
                console.out().println("--backend auto finds nothing usable");
            }
        }
        return ExitCode.DONE;
    }

    private static Optional<Backends.Choice> choose() {
        try {
            return Optional.of(Backends.choose(Backends.AUTO));
        } catch (PanamoeException e) {
            return Optional.empty();
        }
    }

    private void print(Backends.Found found) {
        Sink out = console.out();
        switch (found.probe()) {
            case Usable u -> {
                DeviceInfo first = u.devices().getFirst();
                // A backend with one device of its own name, such as cpu, takes one line.
                boolean same = u.devices().size() == 1 && first.id().equals(found.name());
                out.println(found.name() + ": usable" + (same ? ", " + text(first) : ""));
                for (DeviceInfo device : u.devices()) {
                    if (!same) {
                        out.println("  " + device.id() + ": " + text(device));
                    }
                    lines(device.facts()).forEach(line -> out.println((same ? "  " : "    ") + line));
                }
                u.refused().forEach(line -> out.println("  not usable: " + line));
            }
            case Unusable u -> {
                out.println(found.name() + ": not usable");
                out.println("  why: " + u.reason());
                out.println("  remedy: " + u.remedy());
            }
        }
    }

    /// Facts side by side, as many as fit a line.
    private static List<String> lines(List<String> facts) {
        List<String> lines = new ArrayList<>();
        for (String fact : facts) {
            String last = lines.isEmpty() ? "" : lines.getLast();
            if (!lines.isEmpty() && last.length() + fact.length() <= LINE) {
                lines.set(lines.size() - 1, last + ", " + fact);
            } else {
                lines.add(fact);
            }
        }
        return lines;
    }

    private static String text(DeviceInfo device) {
        return device.description() + (device.memoryBytes() > 0 ? ", " + Table.size(device.memoryBytes()) : "");
    }

    private static ObjectNode describe(List<Backends.Found> all, Optional<Backends.Choice> auto) {
        ObjectNode object = Json.object();
        ArrayNode backends = object.putArray("backends");
        for (Backends.Found found : all) {
            ObjectNode backend = backends.addObject().put("name", found.name());
            switch (found.probe()) {
                case Usable u -> {
                    backend.put("usable", true).put("rank", u.rank()).put("reason", u.reason());
                    ArrayNode devices = backend.putArray("devices");
                    for (DeviceInfo device : u.devices()) {
                        ArrayNode facts = devices.addObject()
                                .put("id", device.id())
                                .put("description", device.description())
                                .put("memory_bytes", device.memoryBytes())
                                .putArray("facts");
                        device.facts().forEach(facts::add);
                    }
                    ArrayNode refused = backend.putArray("refused");
                    u.refused().forEach(refused::add);
                }
                case Unusable u ->
                    backend.put("usable", false).put("reason", u.reason()).put("remedy", u.remedy());
            }
        }
        if (auto.isPresent()) {
            object.put("auto", auto.get().device().id());
        } else {
            object.putNull("auto");
        }
        ArrayNode reasons = object.putArray("reasons");
        auto.ifPresent(a -> a.reasons().forEach(reasons::add));
        return object;
    }
}
