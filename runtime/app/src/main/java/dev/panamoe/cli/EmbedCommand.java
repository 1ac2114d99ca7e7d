package dev.panamoe.cli;

import dev.panamoe.engine.Embedder;
import dev.panamoe.engine.Embedding;
import dev.panamoe.engine.EmbeddingOptions;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Pooling;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe embed`: texts to vectors.
@Command(
        name = "embed",
        sortOptions = false,
        description =
                "Turns each text into a vector and prints its numbers, a row a text. Vectors have length 1, so that"
                        + " the inner product of two says how near the texts are in meaning.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe embed --model embedding.gguf 'a first text' 'a second one'",
            "  panamoe embed --model embedding.gguf --lines < sentences.txt > vectors.txt",
            "  panamoe embed --json 'The capital of France' | jq '.embeddings[0] | length'"
        })
final class EmbedCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Parameters(
            paramLabel = "TEXT",
            arity = "0..*",
            description =
                    "Each is a text of its own. Standard input when there are none, as one text without the newline"
                            + " at its end. Put -- before a text that begins with a dash.")
    private List<String> texts = new ArrayList<>();

    @Option(names = "--lines", description = "Each line of standard input is a text.")
    private boolean lines;

    @Option(
            names = "--pooling",
            paramLabel = "P",
            description = "mean, cls (the first token) or last; by default as the file says, else last.")
    private Optional<Pooling> pooling = Optional.empty();

    @Option(names = "--no-normalize", description = "Leaves vectors at the length that the model gives them.")
    private boolean raw;

    @Option(names = "--truncate", description = "Takes the beginning of a text that is longer than the context.")
    private boolean truncate;

    @Option(names = "--json", description = "Prints one object: {\"model\":…,\"embeddings\":[[…],…],\"tokens\":[…],…}.")
    private boolean json;

    @Mixin
    private Notes notes = new Notes();

    EmbedCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        EngineOptions options = model.engineOptions();
        List<String> read = texts();
        try (Engine engine = Loading.open(console, notes, model.model(), options);
                Embedder embedder = engine.newEmbedder(new EmbeddingOptions(pooling, !raw, truncate))) {
            notes.opened(console, engine);
            long start = System.nanoTime();
            List<Embedding> embeddings = embedder.embed(read);
            long nanos = System.nanoTime() - start;
            if (json) {
                Json.print(console.out(), describe(engine, embedder.pooling(), embeddings));
            } else {
                embeddings.forEach(e -> console.out().println(row(e.vector())));
                console.out().flush();
            }
            warn(embeddings);
            speed(engine, embedder.pooling(), embeddings, nanos);
            return ExitCode.DONE;
        }
    }

    /// What is to be embedded, none of it empty.
    private List<String> texts() throws IOException {
        if (lines && !texts.isEmpty()) {
            throw model.usage("--lines and a TEXT exclude each other");
        }
        List<String> read = texts;
        if (texts.isEmpty()) {
            if (console.inIsTerminal()) {
                throw model.usage("a TEXT is missing: give it as arguments or on standard input");
            }
            String input = Input.text(console.in().readAllBytes(), "standard input");
            read = lines ? input.lines().toList() : List.of(input.replaceFirst("\\R\\z", ""));
        }
        int empty = read.indexOf("");
        if (empty >= 0 || read.isEmpty()) {
            String which = read.size() < 2 ? "the TEXT" : (lines ? "line " : "TEXT ") + (empty + 1);
            throw model.usage(which + " is empty");
        }
        return read;
    }

    /// Enough digits to give every number back.
    private static String row(float[] vector) {
        return IntStream.range(0, vector.length)
                .mapToObj(i -> Float.toString(vector[i]))
                .collect(Collectors.joining(" "));
    }

    private ObjectNode describe(Engine engine, Pooling used, List<Embedding> embeddings) {
        ObjectNode object = Json.object().put("model", model.model());
        ArrayNode vectors = object.putArray("embeddings");
        ArrayNode tokens = object.putArray("tokens");
        for (Embedding embedding : embeddings) {
            ArrayNode vector = vectors.addArray();
            for (float v : embedding.vector()) {
                vector.add(v);
            }
            tokens.add(embedding.tokens());
        }
        return object.put("pooling", EnumConverter.label(used))
                .put("normalized", !raw)
                .put("backend", engine.device().id());
    }

    private void warn(List<Embedding> embeddings) {
        for (int i = 0; i < embeddings.size(); i++) {
            if (embeddings.get(i).truncated()) {
                String which = embeddings.size() == 1 ? "the text" : "text " + (i + 1);
                notes.print(
                        console,
                        "warning: of " + which + " only the first "
                                + embeddings.get(i).tokens() + " tokens were read; the context holds no more");
            }
        }
    }

    private void speed(Engine engine, Pooling used, List<Embedding> embeddings, long nanos) {
        long tokens = embeddings.stream().mapToLong(Embedding::tokens).sum();
        notes.print(
                console,
                String.format(
                        Locale.ROOT,
                        "load %.2f s | %s, %d tokens, %.1f tokens/s | pooling %s | backend %s",
                        engine.loadNanos() / 1e9,
                        Count.of(embeddings.size(), "text"),
                        tokens,
                        tokens / (nanos / 1e9),
                        EnumConverter.label(used),
                        engine.device().id()));
    }
}
