package dev.panamoe.cli;

import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.EngineOptions.IfDeviceLost;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.sampling.SamplingParams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/// `panamoe chat`: a conversation.
@Command(
        name = "chat",
        sortOptions = false,
        description = "A conversation in the terminal. Type a message and Enter; Ctrl-C stops an answer, /help lists"
                + " what else can be typed. When standard input is not a terminal, each of its lines is a message, and"
                + " standard output gets the answers alone.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe chat --model model.gguf --system 'You answer in one sentence.'",
            "  panamoe chat --model demo:deepseek",
            "  printf 'Hello\\nWhat is the opposite of hot?\\n/save! talk.jsonl\\n' | panamoe chat --quiet"
        })
final class ChatCommand implements Callable<Integer> {
    private final Console console;

    @ParentCommand
    private PanamoeCommand root = new PanamoeCommand();

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private AnswerOptions answers = new AnswerOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(
            names = "--if-device-lost",
            paramLabel = "W",
            description = "What the next message does after one that failed because the device was lost: reopen"
                    + " (default) opens it again, cpu goes on with that backend, fail does neither.")
    private IfDeviceLost ifDeviceLost = IfDeviceLost.REOPEN;

    @Mixin
    private Notes notes = new Notes();

    ChatCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        EngineOptions engineOptions = model.engineOptions().withIfDeviceLost(ifDeviceLost);
        answers.check(model);
        sampling.stops();
        sampling.over(SamplingParams.DEFAULT);
        try (Chat chat = new Chat(
                console,
                notes,
                model.model(),
                name -> Loading.open(console, notes, name, engineOptions),
                this::generation,
                answers.templateVariables(),
                answers.system())) {
            if (!console.isInteractive()) {
                return converse(chat, new PipedMessages(console.in()), true);
            }
            Optional<Path> history = console.isProcess() ? InputHistory.file(System.getenv()) : Optional.empty();
            try (MessageSource messages = TypedMessages.open(console, history, chat::stop)) {
                return converse(chat, messages, false);
            }
        }
    }

    /// With a seed of its own for each answer, unless the user gave one.
    private GenerationOptions generation(Engine engine) {
        return GenerationOptions.of(sampling.over(engine.defaultSampling()))
                .withMaxTokens(answers.maxTokens())
                .withStops(sampling.stops());
    }

    /// @param strict whether a failure ends the command: a person reads it and goes on, a program would not notice
    private int converse(Chat chat, MessageSource messages, boolean strict) throws IOException {
        while (true) {
            Optional<String> next = messages.next();
            if (next.isEmpty()) {
                return ExitCode.DONE;
            }
            try {
                if (!chat.accept(next.get())) {
                    return ExitCode.DONE;
                }
            } catch (OutputClosed e) {
                throw e;
            } catch (IOException | RuntimeException | Error e) {
                if (strict) {
                    throw e;
                }
                Failures.report(e, console, root.debug());
            }
        }
    }
}
