package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Verification;
import dev.panamoe.engine.Verification.Bounds;
import dev.panamoe.engine.Verification.Difference;
import dev.panamoe.engine.Verification.Report;
import dev.panamoe.engine.Verification.Step;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe verify`: whether a backend computes what the reference does, on this machine and with this model.
@Command(
        name = "verify",
        sortOptions = false,
        description = {
            "Runs the same tokens on two backends and prints how far they are apart: the residual stream after each"
                    + " layer, the logits, and the greedy choices. Exit code 1 when they are out of bounds.",
            "Activations are rounded to 8 bits on both or on neither. Bounds are relative to the root mean square of"
                    + " the values compared. They are strict with --activations f32 and keys and values in f32, which"
                    + " is the default here; in fewer bits, values that round the other way make experts change places."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe verify",
            "  panamoe verify --activations f32",
            "  panamoe verify --model model.gguf --backend cpu -n 4 'The quick brown fox'"
        })
final class VerifyCommand implements Callable<Integer> {
    private static final int DEFAULT_TOKENS = 32;
    private static final String DEFAULT_TEXT =
            "Once upon a time, there was a shy baker who lived in a small village. One day she found 12 old maps,"
                    + " sold 5 of them, and asked: how many are left? Seven, said the owl, and they all laughed.";

    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(names = "--against", paramLabel = "B", description = "What is right; by default reference.")
    private String against = "reference";

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Greedy steps after the prompt; by default ${DEFAULT-VALUE}.",
            defaultValue = "16")
    private int steps;

    @Parameters(
            paramLabel = "PROMPT",
            arity = "0..*",
            description = "Words, joined by a space; by default a text of its own. Standard input is not read.")
    private List<String> words = new ArrayList<>();

    @Option(
            names = "--tokens",
            paramLabel = "IDS",
            split = TokenIds.SEPARATOR,
            hideParamSyntax = true,
            description = "Token ids instead of a text: 1,2,3. They are taken as they are.")
    private List<Integer> tokens = new ArrayList<>();

    @Mixin
    private Notes notes = new Notes();

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    VerifyCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        EngineOptions options = model.engineOptions(CacheType.F32);
        model.checkBackend("--against", against);
        if (steps < 1) {
            throw model.invalid("-n", steps + " is not 1 or more");
        }
        String text = String.join(" ", words);
        if (!words.isEmpty() && !tokens.isEmpty()) {
            throw model.usage("--tokens and a PROMPT exclude each other");
        }
        if (!words.isEmpty() && text.isEmpty()) {
            throw model.usage("the PROMPT is empty");
        }
        try (Engine tested = Loading.open(console, notes, model.model(), options);
                Engine right = Engine.open(model.model(), alike(tested, options).withBackend(against))) {
            notes.opened(console, tested);
            int[] ids = tokens.isEmpty() ? prompt(tested.tokenizer(), text) : TokenIds.array(tokens);
            Bounds bounds = Bounds.of(options.cacheType(), coarser(tested.arithmetic(), right.arithmetic()));
            Report report = new Verification(tested, right, bounds).run(ids, steps);
            String first = tested.device().id();
            String second = right.device().id();
            if (json) {
                ObjectNode object = describe(report, first, second);
                object.put("arithmetic", EnumConverter.label(tested.arithmetic()));
                object.put("arithmetic_against", EnumConverter.label(right.arithmetic()));
                Json.print(console.out(), object);
            } else {
                console.out()
                        .println(model.model() + ": " + first + activations(tested) + " against " + second
                                + activations(right) + ", " + report.promptTokens() + " prompt tokens, "
                                + report.steps().size() + " greedy steps");
                print(report, first, second);
            }
            if (!report.isSound()) {
                throw new PanamoeException(
                        first + " does not compute what " + second + " does: out of bounds, see above");
            }
            return ExitCode.DONE;
        }
    }

    /// With activations as the tested backend has them: what both round says nothing about the backend.
    private static EngineOptions alike(Engine tested, EngineOptions options) {
        return options.withDevice(options.device().withActivations(Activations.of(tested.arithmetic())));
    }

    private static String activations(Engine engine) {
        return switch (engine.arithmetic()) {
            case F32 -> "";
            case INT8 -> " (8-bit activations)";
        };
    }

    private static Arithmetic coarser(Arithmetic a, Arithmetic b) {
        return a == Arithmetic.INT8 ? a : b;
    }

    private static int[] prompt(Tokenizer tokenizer, String text) {
        if (!text.isEmpty()) {
            return tokenizer.encodePrompt(text);
        }
        int[] ids = tokenizer.withBos(tokenizer.encode(DEFAULT_TEXT, false));
        return Arrays.copyOf(ids, Math.min(ids.length, DEFAULT_TOKENS));
    }

    private void print(Report report, String first, String second) {
        Sink out = console.out();
        Bounds bounds = report.bounds();
        Table table = new Table("lrrrrrl");
        table.row("", "mean error", "largest", "rms of values", "mean/rms", "largest/rms", "");
        for (int i = 0; i < report.layers().size(); i++) {
            Difference layer = report.layers().get(i);
            row(table, "l_out " + i, layer, report.isSound(layer));
        }
        row(table, "logits", report.logits(), report.logitsAreSound());
        table.print(out, "  ");
        out.println(
                "greedy tokens: " + report.agreeing() + " of " + report.steps().size() + " agree");
        for (int i = 0; i < report.steps().size(); i++) {
            Step step = report.steps().get(i);
            if (!step.agrees()) {
                out.println(String.format(
                        Locale.ROOT,
                        "  step %d: %s chooses %d, %s chooses %d, whose logit is %.3g more",
                        i + 1,
                        first,
                        step.tested(),
                        second,
                        step.against(),
                        step.margin()));
            }
        }
        out.println(String.format(
                Locale.ROOT,
                "bounds: mean/rms at most %.0e, of the logits also largest/rms at most %.0e; greedy tokens agree unless"
                        + " such errors can swap them",
                bounds.mean(),
                bounds.max()));
        out.println(report.isSound() ? "within bounds" : "OUT OF BOUNDS");
    }

    private static void row(Table table, String name, Difference d, boolean sound) {
        table.row(
                name,
                number(d.mean()),
                number(d.max()),
                number(d.rms()),
                number(d.relativeMean()),
                number(d.relativeMax()),
                sound ? "" : "out of bounds");
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2e", value);
    }

    private ObjectNode describe(Report report, String first, String second) {
        ObjectNode object = Json.object()
                .put("ok", report.isSound())
                .put("model", model.model())
                .put("backend", first)
                .put("against", second)
                .put("prompt_tokens", report.promptTokens());
        ArrayNode layers = object.putArray("layers");
        for (int i = 0; i < report.layers().size(); i++) {
            Difference layer = report.layers().get(i);
            describe(layers.addObject().put("layer", i), layer, report.isSound(layer));
        }
        describe(object.putObject("logits"), report.logits(), report.logitsAreSound());
        ObjectNode greedy = object.putObject("greedy")
                .put("ok", report.stepsAreSound())
                .put("steps", report.steps().size())
                .put("agree", report.agreeing());
        ArrayNode ours = greedy.putArray("tokens");
        ArrayNode theirs = greedy.putArray("tokens_against");
        report.steps().forEach(s -> ours.add(s.tested()));
        report.steps().forEach(s -> theirs.add(s.against()));
        object.putObject("bounds")
                .put("mean_relative", report.bounds().mean())
                .put("max_relative", report.bounds().max());
        return object;
    }

    private static void describe(ObjectNode object, Difference d, boolean sound) {
        object.put("ok", sound)
                .put("max", d.max())
                .put("mean", d.mean())
                .put("rms", d.rms())
                .put("max_relative", d.relativeMax())
                .put("mean_relative", d.relativeMean());
    }
}
