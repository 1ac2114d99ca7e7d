package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.engine.Backends;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.ModelFile;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.MetadataEntry;
import dev.panamoe.gguf.Printable;
import dev.panamoe.model.MemoryPlan;
import dev.panamoe.model.Model;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import dev.panamoe.tokenizer.Tokenizer;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe inspect`: what is in a model file, and what running it takes.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Prints the metadata, the tensors and their sizes, whether the model can run here, and the memory"
                + " that would take. Nothing but the head of the file is read.",
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

    /// Whether and how the model runs.
    ///
    /// @param problem why it cannot; empty when it can
    /// @param plan empty when not even the architecture is understood
    private record Verdict(Optional<String> problem, Optional<ModelSpec> spec, Optional<MemoryPlan> plan) {}

    @Override
    public Integer call() {
        EngineOptions options = model.engineOptions();
        if (file.isPresent() && model.isGiven()) {
            throw model.usage("FILE and --model exclude each other");
        }
        try (ModelFile opened = ModelFile.open(file.orElse(model.model()))) {
            GgufFile gguf = opened.file();
            Verdict verdict = judge(gguf, options);
            if (json) {
                Json.print(console.out(), describe(gguf, verdict, options));
            } else {
                print(gguf, verdict, options);
            }
            return ExitCode.DONE;
        }
    }

    private static Verdict judge(GgufFile file, EngineOptions options) {
        Optional<ModelSpec> spec = Optional.empty();
        Optional<MemoryPlan> plan = Optional.empty();
        try {
            spec = Optional.of(Architectures.read(file));
            plan = Optional.of(Engine.plan(file, spec.get(), options));
            Optional<String> shortage;
            try (Device device = Backends.choose(options.backend()).open(new DeviceOptions(options.threads()))) {
                Model.check(file, spec.get(), device);
                shortage = shortage(file, spec.get(), options, device);
            }
            Tokenizer.of(file.metadata());
            return new Verdict(shortage, spec, plan);
        } catch (PanamoeException e) {
            return new Verdict(Optional.of(String.valueOf(e.getMessage())), spec, plan);
        }
    }

    /// Why the keys and values of one session do not fit the device; empty when they do.
    private static Optional<String> shortage(GgufFile file, ModelSpec spec, EngineOptions options, Device device) {
        int context = Engine.contextLength(spec, options);
        long want = Engine.plan(file, spec, options).caches();
        long free = device.freeMemory();
        if (want <= free) {
            return Optional.empty();
        }
        int low = 0;
        int high = context - 1;
        while (low < high) {
            int middle = low + (high - low + 1) / 2;
            if (Engine.plan(file, spec, options.withContextLength(middle)).caches() <= free) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return Optional.of("a context of " + context + " positions takes " + Table.size(want)
                + " for keys and values, but only " + Table.size(free) + " are free on "
                + device.info().id() + "; use a --ctx of at most " + low);
    }

    private void print(GgufFile file, Verdict verdict, EngineOptions options) {
        Sink out = console.out();
        boolean all = !onlyMetadata && !onlyTensors;
        if (all) {
            out.println(file.name() + ": GGUF " + file.version() + ", " + Table.size(file.fileBytes())
                    + (file.files().size() > 1 ? " in " + file.files().size() + " files" : ""));
            file.warnings().forEach(w -> out.println("warning: " + w));
        }
        if (all || onlyMetadata) {
            out.println("\nmetadata");
            Table table = new Table("lll");
            for (MetadataEntry entry : file.metadata().describe(SHOWN_ITEMS, SHOWN_CHARS)) {
                table.row(entry.key(), entry.type(), entry.text());
            }
            table.print(out, "  ");
        }
        if (all || onlyTensors) {
            out.println("\ntensors");
            Table table = new Table("lllr");
            for (TensorView t : file.tensors().values()) {
                table.row(Printable.escape(t.name()), t.type().name(), t.shape().toString(), size(t));
            }
            table.print(out, "  ");
        }
        if (all) {
            printTypes(file);
            printVerdict(verdict, options);
        }
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

    private void printVerdict(Verdict verdict, EngineOptions options) {
        Sink out = console.out();
        verdict.plan().ifPresent(plan -> {
            int context = Engine.contextLength(verdict.spec().orElseThrow(), options);
            out.println("\nmemory");
            new Table("lrl")
                    .row("weights", Table.size(plan.weights()), "mapped from the file, read as needed")
                    .row("derived weights", Table.size(plan.derived()), "")
                    .row(
                            "keys and values",
                            Table.size(plan.caches()),
                            options.cacheType() + ", " + context + " positions, each session")
                    .row("intermediates", Table.size(plan.scratch()), "")
                    .row("total", Table.size(plan.total()), "")
                    .print(out, "  ");
        });
        out.println("");
        out.println(verdict.problem()
                .map(p -> "cannot run here: " + Printable.escape(p, Integer.MAX_VALUE))
                .orElse("can run here"));
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

    private ObjectNode describe(GgufFile file, Verdict verdict, EngineOptions options) {
        boolean all = !onlyMetadata && !onlyTensors;
        ObjectNode object = Json.object().put("name", file.name());
        if (all) {
            describeFile(object, file);
            object.put("runnable", verdict.problem().isEmpty());
            verdict.problem().ifPresent(p -> object.put("problem", p));
        }
        if (all || onlyMetadata) {
            ArrayNode metadata = object.putArray("metadata");
            file.metadata().describe(JSON_ITEMS, JSON_CHARS).forEach(e -> describe(metadata.addObject(), e));
        }
        if (all || onlyTensors) {
            describeTensors(object.putArray("tensors"), file);
        }
        if (all) {
            ArrayNode types = object.putArray("types");
            types(file)
                    .forEach((type, sum) -> types.addObject()
                            .put("type", type.name())
                            .put("tensors", sum[0])
                            .put("bytes", sum[1]));
            verdict.plan()
                    .ifPresent(plan -> object.putObject("memory")
                            .put("context", Engine.contextLength(verdict.spec().orElseThrow(), options))
                            .put("cache_type", options.cacheType().name())
                            .put("weights", plan.weights())
                            .put("derived", plan.derived())
                            .put("caches", plan.caches())
                            .put("scratch", plan.scratch())
                            .put("total", plan.total()));
        }
        return object;
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
            put(object.putArray("value"), entry.values().getFirst());
            object.set("value", object.get("value").get(0));
            if (entry.cut()) {
                object.put("cut", true);
            }
            return;
        }
        ArrayNode values =
                object.put("count", entry.count()).put("cut", entry.cut()).putArray("value");
        entry.values().forEach(v -> put(values, v));
    }

    private static void put(ArrayNode array, Object value) {
        switch (value) {
            case Long l -> array.add(l);
            case BigInteger i -> array.add(i);
            case Float f -> array.add(f);
            case Double d -> array.add(d);
            case Boolean b -> array.add(b);
            default -> array.add(value.toString());
        }
    }
}
