package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.EmbeddedModels;
import dev.panamoe.engine.ModelFile;
import dev.panamoe.gguf.Printable;
import dev.panamoe.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `panamoe tokenize`: text to token ids and back.
@Command(
        name = "tokenize",
        sortOptions = false,
        description = "Prints the tokens of a text, one a line: the id and the token as the vocabulary writes it."
                + " With --decode, prints the text of token ids byte for byte and nothing after it.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe tokenize 'Hello world'",
            "  panamoe tokenize --model model.gguf --json < document.txt | jq '.ids | length'",
            "  panamoe tokenize --decode 677,278,16"
        })
final class TokenizeCommand implements Callable<Integer> {
    private static final int LONGEST = 200;

    private final Console console;

    @Spec
    private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

    @Option(
            names = {"-m", "--model"},
            paramLabel = "M",
            description = "GGUF file or embedded model; its weights are not read.")
    private String model = EmbeddedModels.DEFAULT;

    @Parameters(
            paramLabel = "TEXT",
            arity = "0..*",
            description = "Words, joined by a space; standard input as a whole, byte for byte, when there are none.")
    private List<String> words = new ArrayList<>();

    @Option(
            names = "--parse-special",
            description = "Control tokens written out in the text become those tokens; otherwise they are text.")
    private boolean parseSpecial;

    @Option(
            names = "--no-bos",
            description = "Leaves out the token that begins a sequence, which comes first if the model wants one.")
    private boolean noBos;

    @Option(
            names = "--decode",
            paramLabel = "IDS",
            split = TokenIds.SEPARATOR,
            hideParamSyntax = true,
            description = "Token ids to turn into text: 1,2,3. Control tokens appear by name.")
    private List<Integer> decode = new ArrayList<>();

    @Option(
            names = "--json",
            description = "Prints one object: {\"ids\":[…],\"tokens\":[…]}; with --decode a \"text\" too.")
    private boolean json;

    TokenizeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (!decode.isEmpty() && !words.isEmpty()) {
            throw new ParameterException(command.commandLine(), "--decode and a TEXT exclude each other");
        }
        if (decode.isEmpty() && words.isEmpty() && console.inIsTerminal()) {
            throw new ParameterException(
                    command.commandLine(), "a TEXT is missing: give it as arguments or on standard input");
        }
        Tokenizer tokenizer;
        try (ModelFile file = ModelFile.open(model)) {
            tokenizer = Tokenizer.of(file.file().metadata());
        }
        if (!decode.isEmpty()) {
            decode(tokenizer, TokenIds.array(decode));
            return ExitCode.DONE;
        }
        int[] ids = words.isEmpty()
                ? tokenizer.encode(console.in().readAllBytes(), parseSpecial)
                : tokenizer.encode(String.join(" ", words), parseSpecial);
        print(tokenizer, noBos ? ids : tokenizer.withBos(ids));
        return ExitCode.DONE;
    }

    private void print(Tokenizer tokenizer, int[] ids) {
        if (json) {
            Json.print(console.out(), describe(tokenizer, ids));
            return;
        }
        int width = String.valueOf(tokenizer.size() - 1).length();
        for (int id : ids) {
            String number = String.valueOf(id);
            console.out()
                    .println(" ".repeat(width - number.length()) + number + "  "
                            + Printable.escape(tokenizer.token(id), LONGEST));
        }
    }

    private void decode(Tokenizer tokenizer, int[] ids) {
        for (int id : ids) {
            if (id < 0 || id >= tokenizer.size()) {
                throw new PanamoeException(
                        "token " + id + " is not in the vocabulary, which ends at " + (tokenizer.size() - 1));
            }
        }
        byte[] bytes = tokenizer.bytes(ids);
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (json) {
            Json.print(console.out(), describe(tokenizer, ids).put("text", text));
        } else if (console.out().isTerminal()) {
            console.out().printUntrusted(text + "\n");
        } else {
            console.out().write(bytes);
        }
    }

    private static ObjectNode describe(Tokenizer tokenizer, int[] ids) {
        ObjectNode object = Json.object();
        ArrayNode numbers = object.putArray("ids");
        ArrayNode tokens = object.putArray("tokens");
        for (int id : ids) {
            numbers.add(id);
            tokens.add(tokenizer.token(id));
        }
        return object;
    }
}
