package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Perplexity;
import dev.panamoe.engine.Perplexity.Document;
import dev.panamoe.engine.Perplexity.Score;
import dev.panamoe.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `panamoe perplexity`: how well a model predicts a text.
@Command(
        name = "perplexity",
        sortOptions = false,
        description = {
            "Measures how well a model predicts a text: prints exp(mean negative log-likelihood).",
            "Methods:",
            "  lines      every line is a document of its own, begins a sequence, and is scored whole (default)",
            "  chat       every line is a JSON object whose field \"text\" is a conversation with its control",
            "             tokens written out (default for .jsonl)",
            "  chunks512  the whole text in chunks of 512 tokens, the second half of each scored, as llama-perplexity",
            "             does by default"
        },
        footerHeading = "%nExample:%n",
        footer = "  panamoe perplexity --model model.gguf --file wiki.test.raw --method chunks512 --cache-type f32")
final class PerplexityCommand implements Callable<Integer> {
    private static final long PROGRESS_NANOS = 500_000_000;

    private final Console console;

    /// How a text is cut into documents.
    enum Method {
        LINES,
        CHAT,
        CHUNKS512
    }

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "T",
            description = "The text, in UTF-8; - for standard input.")
    private String file = "";

    @Option(names = "--method", paramLabel = "METHOD", description = "lines, chat or chunks512.")
    private Optional<Method> method = Optional.empty();

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Mixin
    private Notes notes = new Notes();

    PerplexityCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        EngineOptions options = model.engineOptions();
        byte[] text = Input.read(file, console.in());
        Method chosen = method.orElse(file.endsWith(".jsonl") ? Method.CHAT : Method.LINES);
        try (Engine engine = Loading.open(console, notes, model.model(), options);
                Perplexity perplexity = new Perplexity(engine)) {
            notes.opened(console, engine);
            long start = System.nanoTime();
            Score score = score(perplexity, documents(engine.tokenizer(), text, chosen));
            if (score.tokens() == 0) {
                throw new PanamoeException(Input.name(file) + ": there is nothing to score");
            }
            print(engine, chosen, score, System.nanoTime() - start);
            return ExitCode.DONE;
        }
    }

    private List<Document> documents(Tokenizer tokenizer, byte[] text, Method chosen) {
        return switch (chosen) {
            case LINES -> Perplexity.lines(tokenizer, Input.name(file), text);
            case CHUNKS512 -> Perplexity.chunks512(tokenizer, Input.name(file), text);
            case CHAT -> conversations(tokenizer, Input.text(text, Input.name(file)));
        };
    }

    private List<Document> conversations(Tokenizer tokenizer, String text) {
        List<Document> documents = new ArrayList<>();
        int number = 0;
        for (String line : text.split("\n")) {
            String name = Input.name(file) + " line " + ++number;
            if (!line.isBlank()) {
                if (!(Json.variables(line, name).get("text") instanceof String conversation)) {
                    throw new PanamoeException(name + ": expected a JSON object with a string \"text\"");
                }
                documents.add(Perplexity.chat(tokenizer, name, conversation));
            }
        }
        return documents;
    }

    private Score score(Perplexity perplexity, List<Document> documents) {
        Score sum = Score.NONE;
        long shown = System.nanoTime();
        for (int i = 0; i < documents.size(); i++) {
            sum = sum.plus(perplexity.score(documents.get(i)));
            if (!notes.quiet() && System.nanoTime() - shown > PROGRESS_NANOS) {
                shown = System.nanoTime();
                notes.print(
                        console,
                        String.format(
                                Locale.ROOT,
                                "%d of %d texts, %d tokens, perplexity %.4f",
                                i + 1,
                                documents.size(),
                                sum.tokens(),
                                sum.perplexity()));
            }
        }
        return sum;
    }

    private void print(Engine engine, Method chosen, Score score, long nanos) {
        if (json) {
            Json.print(
                    console.out(),
                    Json.object()
                            .put("perplexity", score.perplexity())
                            .put("nll", score.nll())
                            .put("tokens", score.tokens())
                            .put("method", EnumConverter.label(chosen))
                            .put("model", model.model())
                            .put("backend", engine.device().id())
                            .put("seconds", Json.rounded(nanos / 1e9)));
        } else {
            console.out()
                    .println(String.format(
                            Locale.ROOT,
                            "perplexity %.6f, nll %.6f over %d tokens (%s)",
                            score.perplexity(),
                            score.nll(),
                            score.tokens(),
                            EnumConverter.label(chosen)));
        }
    }
}
