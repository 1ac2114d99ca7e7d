package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Inspection;
import dev.panamoe.engine.ModelFile;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.MetadataEntry;
import dev.panamoe.gguf.Printable;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe inspect`: what is in a model file, and what running it takes.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Prints whether the model runs here and if not everything that is missing, then the metadata, the"
                + " tensors and their sizes, and the memory that a run takes. Nothing but the head of the file is read."
                + " The exit code is 0 in both cases; --json has it under \"runs\".",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe inspect model.gguf",
            "  panamoe inspect --ctx 32768 --cache-type f32 model.gguf",
            "  panamoe inspect --json model.gguf | jq '.tensors[] | select(.type == \"Q4_K\") | .name'"
        })
final class InspectCommand implements Callable<Integer> {
    private static final int SHOWN_ITEMS = 8;
    private static final int SHOWN_CHARS = 100;
    private static final int JSON_ITEMS = 64;
    private static final int JSON_CHARS = 1 << 20;

    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Parameters(paramLabel = "FILE", arity = "0..1", description = "The model; the same as --model.")
    private Optional<String> file = Optional.empty();

    @Option(names = "--metadata", description = "Only the metadata; with --tensors both, with --json too.")
    private boolean onlyMetadata;

    @Option(names = "--tensors", description = "Only the tensors; with --metadata both, with --json too.")
    private boolean onlyTensors;

    @Option(names = "--json", description = "Prints one JSON object; long arrays are cut.")
    private boolean json;

    InspectCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        EngineOptions options = model.engineOptions();
        if (file.isPresent() && model.isGiven()) {
            throw model.usage("FILE and --model exclude each other");
        }
        try (ModelFile opened = ModelFile.inspect(file.orElse(model.model()))) {
            GgufFile gguf = opened.file();
            boolean all = !onlyMetadata && !onlyTensors;
            Optional<Inspection> inspection = all ? Optional.of(Inspection.of(gguf, options)) : Optional.empty();
            if (json) {
                Json.print(console.out(), describe(gguf, inspection));
            } else {
                print(gguf, inspection);
            }
            return ExitCode.DONE;
        }
    }

    /// @param inspection empty when only parts are asked for
    private void print(GgufFile file, Optional<Inspection> inspection) {
        Sink out = console.out();
        inspection.ifPresent(i -> printVerdict(file, i));
        if (inspection.isPresent() || onlyMetadata) {
            out.println("\nmetadata");
            Table table = new Table("lll");
            for (MetadataEntry entry : file.metadata().describe(SHOWN_ITEMS, SHOWN_CHARS)) {
                table.row(entry.key(), entry.type(), entry.text());
            }
            table.print(out, "  ");
        }
        if (inspection.isPresent() || onlyTensors) {
            out.println("\ntensors");
            Table table = new Table("lllr");
            for (TensorView t : file.tensors().values()) {
                table.row(Printable.escape(t.name()), t.type().name(), t.shape().toString(), size(t));
            }
            table.print(out, "  ");
        }
        inspection.ifPresent(i -> {
            printTypes(file);
            i.memory().ifPresent(this::print);
        });
    }

    private void printVerdict(GgufFile file, Inspection inspection) {
        Sink out = console.out();
        List<String> missing =
                inspection.missing().stream().map(InspectCommand::line).toList();
        out.println(file.name() + ": "
                + switch (missing.size()) {
                    case 0 -> "runs here on " + runsWith(inspection);
                    case 1 -> "does not run here: " + missing.getFirst();
                    default -> "does not run here, for " + missing.size() + " reasons:";
                });
        if (missing.size() > 1) {
            missing.forEach(m -> out.println("  - " + m));
        }
        inspection.notes().forEach(n -> out.println("note: " + line(n)));
        file.warnings().forEach(w -> out.println("warning: " + w));
        out.println("\nGGUF " + file.version() + ", " + Table.size(file.fileBytes())
                + (file.files().size() > 1 ? " in " + file.files().size() + " files" : ""));
        Table table = new Table("ll");
        inspection
                .findings()
                .forEach((subject, finding) ->
                        table.row(subject, inspection.missing().contains(finding) ? "see above" : line(finding)));
        table.print(out, "  ");
    }

    /// `cpu with a context of 8192 positions, 30.1 MiB of memory beside weights of 5.1 MiB`.
    private static String runsWith(Inspection inspection) {
        Inspection.Memory memory = inspection.memory().orElseThrow();
        return inspection.device().orElseThrow().id() + " with a context of " + memory.context() + " positions, "
                + Table.size(memory.total() - memory.weights()) + " of memory beside weights of "
                + Table.size(memory.weights());
    }

    private static String line(String text) {
        return Printable.escape(text, Integer.MAX_VALUE);
    }

    private void printTypes(GgufFile file) {
        console.out().println("\ntypes");
        Table table = new Table("lrr");
        long bytes = 0;
        for (Map.Entry<QuantType, long[]> type : types(file).entrySet()) {
            long[] sum = type.getValue();
            bytes += sum[1];
            table.row(type.getKey().name(), sum[0] + " tensors", Table.size(sum[1]));
        }
        table.row("total", file.tensors().size() + " tensors", Table.size(bytes));
        table.print(console.out(), "  ");
    }

    private void print(Inspection.Memory memory) {
        Sink out = console.out();
        out.println("\nmemory");
        new Table("lrl")
                .row("weights", Table.size(memory.weights()), "mapped from the file, read as needed")
                .row("derived weights", Table.size(memory.derived()), "")
                .row(
                        "keys and values",
                        Table.size(memory.caches()),
                        memory.cacheType() + ", " + memory.context() + " positions, each session")
                .row("intermediates", Table.size(memory.scratch()), "")
                .row("total", Table.size(memory.total()), "")
                .row("free", memory.free() == Long.MAX_VALUE ? "unknown" : Table.size(memory.free()), "")
                .print(out, "  ");
    }

    private static String size(TensorView t) {
        return Table.size(TensorView.byteSize(t.type(), t.shape()));
    }

    /// By type: how many tensors, how many bytes.
    private static Map<QuantType, long[]> types(GgufFile file) {
        Map<QuantType, long[]> types = new TreeMap<>();
        for (TensorView t : file.tensors().values()) {
            long[] sum = types.computeIfAbsent(t.type(), k -> new long[2]);
            sum[0]++;
            sum[1] += TensorView.byteSize(t.type(), t.shape());
        }
        return types;
    }

    private ObjectNode describe(GgufFile file, Optional<Inspection> inspection) {
        ObjectNode object = Json.object().put("name", file.name());
        inspection.ifPresent(i -> describe(object, file, i));
        if (inspection.isPresent() || onlyMetadata) {
            ArrayNode metadata = object.putArray("metadata");
            file.metadata().describe(JSON_ITEMS, JSON_CHARS).forEach(e -> describe(metadata.addObject(), e));
        }
        if (inspection.isPresent() || onlyTensors) {
            describeTensors(object.putArray("tensors"), file);
        }
        if (inspection.isPresent()) {
            ArrayNode types = object.putArray("types");
            types(file)
                    .forEach((type, sum) -> types.addObject()
                            .put("type", type.name())
                            .put("tensors", sum[0])
                            .put("bytes", sum[1]));
        }
        inspection
                .flatMap(Inspection::memory)
                .ifPresent(memory -> object.putObject("memory")
                        .put("context", memory.context())
                        .put("cache_type", memory.cacheType().name())
                        .put("weights", memory.weights())
                        .put("derived", memory.derived())
                        .put("caches", memory.caches())
                        .put("scratch", memory.scratch())
                        .put("total", memory.total())
                        .put("free", memory.free()));
        return object;
    }

    private static void describe(ObjectNode object, GgufFile file, Inspection inspection) {
        object.put("runs", inspection.runs());
        inspection.device().ifPresent(d -> object.put("backend", d.id()));
        inspection.missing().forEach(object.putArray("missing")::add);
        inspection.notes().forEach(object.putArray("notes")::add);
        ObjectNode findings = object.putObject("findings");
        inspection.findings().forEach(findings::put);
        describeFile(object, file);
    }

    private static void describeFile(ObjectNode object, GgufFile file) {
        ArrayNode files = object.putArray("files");
        for (Path path : file.files()) {
            files.add(path.toString());
        }
        object.put("version", file.version()).put("bytes", file.fileBytes());
        ArrayNode warnings = object.putArray("warnings");
        file.warnings().forEach(warnings::add);
        object.put("architecture", architecture(file));
    }

    private static void describeTensors(ArrayNode tensors, GgufFile file) {
        for (TensorView t : file.tensors().values()) {
            ArrayNode shape = tensors.addObject()
                    .put("name", t.name())
                    .put("type", t.type().name())
                    .put("bytes", TensorView.byteSize(t.type(), t.shape()))
                    .putArray("shape");
            t.shape().dims().forEach(shape::add);
        }
    }

    private static String architecture(GgufFile file) {
        try {
            return file.metadata().findString("general.architecture").orElse("");
        } catch (PanamoeException e) {
            return ""; // not even a string
        }
    }

    private static void describe(ObjectNode object, MetadataEntry entry) {
        object.put("key", entry.key()).put("type", entry.type());
        if (!entry.array()) {
            object.set("value", value(entry.values().getFirst()));
            if (entry.cut()) {
                object.put("cut", true);
            }
            return;
        }
        ArrayNode values =
                object.put("count", entry.count()).put("cut", entry.cut()).putArray("value");
        entry.values().forEach(v -> values.add(value(v)));
    }

    private static JsonNode value(Object value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        return switch (value) {
            case Long l -> nodes.numberNode(l);
            case BigInteger i -> nodes.numberNode(i);
            case Float f -> nodes.numberNode(f);
            case Double d -> nodes.numberNode(d);
            case Boolean b -> nodes.booleanNode(b);
            default -> nodes.stringNode(value.toString());
        };
    }
}
