package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.EmbeddedModels;
import dev.panamoe.engine.ModelFile;
import dev.panamoe.template.ChatTemplate;
import dev.panamoe.template.TemplateException;
import dev.panamoe.tokenizer.Tokenizer;
import java.io.IOException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `panamoe template`: what a chat template makes of a conversation.
@Command(
        name = "template",
        sortOptions = false,
        description = "Renders a chat template and prints the text exactly, with nothing after it.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  echo '{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"add_generation_prompt\":true}' |",
            "      panamoe template --model model.gguf --input -",
            "  panamoe template --file chat.jinja --input case.json --now 2026-01-02T03:04:05"
        })
final class TemplateCommand implements Callable<Integer> {
    private final Console console;

    @Option(names = "--file", paramLabel = "T", description = "A template in Jinja; by default the model's own.")
    private Optional<String> file = Optional.empty();

    @Option(
            names = {"-m", "--model"},
            paramLabel = "M",
            description = "GGUF file or embedded model: its template unless there is a --file, and its bos_token and"
                    + " eos_token unless the input has them.")
    private Optional<String> model = Optional.empty();

    @Option(
            names = "--input",
            required = true,
            paramLabel = "CASE",
            description = "JSON object of the template's variables: messages, tools, add_generation_prompt …; - for"
                    + " standard input.")
    private String input = "";

    @Option(names = "--now", paramLabel = "ISO", description = "What the template takes for the date and time.")
    private Optional<LocalDateTime> now = Optional.empty();

    TemplateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Map<String, @Nullable Object> variables = Json.variables(Input.text(input, console.in()), Input.name(input));
        String source;
        String name;
        if (file.isPresent()) {
            name = file.get();
            source = Input.text(Input.read(name, console.in()), name);
            if (model.isPresent()) {
                try (ModelFile opened = ModelFile.open(model.get())) {
                    addTokens(opened, variables);
                }
            }
        } else {
            name = model.orElse(EmbeddedModels.DEFAULT);
            try (ModelFile opened = ModelFile.open(name)) {
                source = opened.file()
                        .metadata()
                        .findString("tokenizer.chat_template")
                        .orElseThrow(() -> new PanamoeException(name
                                + ": the file has no chat template (tokenizer.chat_template); give one with --file"));
                addTokens(opened, variables);
            }
        }
        try {
            String text = ChatTemplate.parse(source)
                    .render(variables, now.orElseGet(() -> LocalDateTime.now(ZoneId.systemDefault())));
            console.out().printUntrusted(text);
        } catch (TemplateException e) {
            throw new PanamoeException(name + ": " + e.getMessage(), e);
        }
        return ExitCode.DONE;
    }

    private static void addTokens(ModelFile opened, Map<String, @Nullable Object> variables) {
        Tokenizer tokenizer = Tokenizer.of(opened.file().metadata());
        variables.putIfAbsent("bos_token", tokenizer.specialText(tokenizer.bos()));
        variables.putIfAbsent("eos_token", tokenizer.specialText(tokenizer.eos()));
    }
}
