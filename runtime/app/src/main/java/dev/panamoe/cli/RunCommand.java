package dev.panamoe.cli;

import dev.panamoe.chat.ChatMessage;
import dev.panamoe.chat.Tool;
import dev.panamoe.chat.ToolCall;
import dev.panamoe.engine.Completion;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.FinishReason;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.Profile;
import dev.panamoe.engine.Profiler;
import dev.panamoe.engine.Session;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.spi.Ceilings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe run`: one prompt, one answer.
@Command(
        name = "run",
        sortOptions = false,
        description = "Answers a prompt. The answer goes to standard output as it is generated, and a newline after it;"
                + " the model's reasoning and the notes on speed go to standard error.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe run 'What is the opposite of hot?'",
            "  panamoe run --model demo:deepseek --temp 0 'What sound does a cow make?'",
            "  panamoe run --raw -n 60 --seed 7 'Once upon a time'     continues a text as it is",
            "  panamoe run --json-schema answer.schema.json 'Name three large cities.'",
            "  panamoe run --json --quiet < question.txt | jq -r .text"
        })
final class RunCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private PromptOptions prompt = new PromptOptions();

    @Option(names = "--raw", description = "Takes the prompt as it is, without the model's chat template.")
    private boolean raw;

    @Mixin
    private AnswerOptions answers = new AnswerOptions();

    @Option(
            names = "--tools",
            paramLabel = "FILE",
            description =
                    "Functions that the model may call, as a JSON array in the format of OpenAI's interface; - for"
                            + " standard input. Its calls are printed behind the answer.")
    private Optional<String> tools = Optional.empty();

    @Option(names = "--ignore-eos", description = "Goes on behind tokens that end an answer.")
    private boolean ignoreEos;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private GrammarOptions grammar = new GrammarOptions();

    @Option(names = "--json", description = "Prints one JSON object at the end and nothing else on standard output.")
    private boolean json;

    @Option(
            names = "--profile",
            description = "Shows the time and the work of each operation on standard error, with --json in the object;"
                    + " measuring slows the answer.")
    private boolean profile;

    @Mixin
    private Notes notes = new Notes();

    RunCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        EngineOptions engineOptions = model.engineOptions();
        answers.check(model);
        if ((raw || prompt.hasTokens()) && (answers.needTemplate() || tools.isPresent())) {
            throw model.usage(
                    "--system, --think and --tools need the chat template, which --raw and --tokens leave out");
        }
        grammar.check(model);
        // Before the model is loaded, so that a mistake is told at once.
        Optional<int[]> tokens = prompt.hasTokens() ? Optional.of(prompt.tokens()) : Optional.empty();
        String text = tokens.isPresent() ? "" : prompt.text(console);
        List<Tool> callable = tools();
        GenerationOptions limits = GenerationOptions.of(SamplingParams.GREEDY)
                .withMaxTokens(answers.maxTokens())
                .withStops(sampling.stops())
                .withIgnoreEnd(ignoreEos);
        limits = grammar.grammar(console).map(limits::withGrammar).orElse(limits);
        sampling.over(SamplingParams.DEFAULT);

        try (Engine engine = Engine.open(model.model(), engineOptions);
                Session session = engine.newSession()) {
            SamplingParams params = sampling.over(engine.defaultSampling());
            GenerationOptions options = limits.withSampling(params);
            notes.opened(console, engine);
            if (!callable.isEmpty() && !engine.chatFormat().declaresTools()) {
                notes.print(
                        console,
                        "warning: the model's chat template does not declare tools; describe them in --system");
            }
            AnswerPrinter printer =
                    new AnswerPrinter(console, !json, notes.quiet() || json ? Thoughts.HIDE : Thoughts.SHOW);
            // Before the answer: the ceilings take a second.
            Optional<Ceilings> ceilings = profile ? engine.measureCeilings() : Optional.empty();
            printer.start();
            Completion answer;
            Optional<Profile> measured;
            try (@Nullable Profiler profiler = profile ? engine.newProfiler() : null) {
                if (tokens.isPresent()) {
                    answer = session.complete(tokens.get(), options, printer::print);
                } else if (raw) {
                    answer = session.complete(text, options, printer::print);
                } else {
                    answer = session.answer(
                            conversation(text), callable, answers.templateVariables(), options, printer::print);
                }
                measured = Optional.ofNullable(profiler).map(Profiler::result);
            } finally {
                printer.finish();
            }
            ProfileTable table = new ProfileTable(ceilings, engine.arithmetic());
            if (json) {
                ObjectNode object = describe(engine, answer, params.seed());
                measured.ifPresent(m -> table.describe(object.putArray("profile"), m));
                Json.print(console.out(), object);
            } else {
                console.out().print("\n");
                for (ToolCall call : answer.toolCalls()) {
                    console.out().printUntrusted("call " + call.name() + " " + call.arguments() + "\n");
                }
                console.out().flush();
                measured.ifPresent(m -> table.print(console.err(), m));
            }
            if (answer.finishReason() == FinishReason.LENGTH) {
                cutOff(options, answer);
            }
            speed(engine, answer);
            return ExitCode.DONE;
        }
    }

    private List<Tool> tools() throws IOException {
        if (tools.isEmpty()) {
            return List.of();
        }
        String file = tools.get();
        return Tool.list(Input.text(file, console.in()), Input.name(file));
    }

    private List<ChatMessage> conversation(String text) {
        List<ChatMessage> messages = new ArrayList<>(answers.system());
        messages.add(ChatMessage.user(text));
        return messages;
    }

    /// Who gives -n knows that it cuts, but may not think of what that does to a form.
    private void cutOff(GenerationOptions options, Completion answer) {
        boolean full = answer.usage().generated() < options.maxTokens();
        boolean formed = options.grammar().isPresent();
        if (full || formed) {
            notes.print(
                    console,
                    "the answer was cut off "
                            + (full
                                    ? "because the context is full; a larger --ctx holds more"
                                    : "at -n " + options.maxTokens() + " tokens")
                            + (formed ? "; it need not have the form that was asked for" : ""));
        }
    }

    private void speed(Engine engine, Completion answer) {
        Completion.Usage usage = answer.usage();
        String line = String.format(
                Locale.ROOT,
                "load %.2f s | prompt %d tokens, %.1f tokens/s | generated %d tokens, %.1f tokens/s | backend %s",
                engine.loadNanos() / 1e9,
                usage.prompt(),
                answer.promptTokensPerSecond(),
                usage.generated(),
                answer.generatedTokensPerSecond(),
                engine.device().id());
        notes.print(console, line);
    }

    private ObjectNode describe(Engine engine, Completion answer, long seed) {
        ObjectNode object = Json.object();
        object.put("text", answer.text());
        object.put("reasoning", answer.reasoning());
        if (!answer.toolCalls().isEmpty()) {
            object.set("tool_calls", answer.message().toJson().path("tool_calls"));
        }
        ArrayNode ids = object.putArray("tokens");
        answer.tokens().forEach(ids::add);
        object.put("finish_reason", answer.finishReason().label());
        Completion.Usage usage = answer.usage();
        object.putObject("usage")
                .put("prompt_tokens", usage.prompt())
                .put("cached_tokens", usage.cached())
                .put("completion_tokens", usage.generated())
                .put("total_tokens", usage.prompt() + usage.generated());
        object.putObject("timings")
                .put("load_ms", Json.millis(engine.loadNanos()))
                .put("prompt_ms", Json.millis(answer.timings().promptNanos()))
                .put("prompt_tokens_per_second", Json.rounded(answer.promptTokensPerSecond()))
                .put("generation_ms", Json.millis(answer.timings().generationNanos()))
                .put("generation_tokens_per_second", Json.rounded(answer.generatedTokensPerSecond()));
        object.put("model", model.model());
        object.put("backend", engine.device().id());
        object.put("seed", seed);
        return object;
    }
}
