package dev.panamoe.cli;

import dev.panamoe.grammar.Gbnf;
import dev.panamoe.grammar.Grammar;
import dev.panamoe.grammar.JsonSchema;
import java.io.IOException;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// What the answer has to obey.
final class GrammarOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

    @Option(names = "--json-object", description = "The answer is a JSON object.")
    private boolean jsonObject;

    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description = "The answer is JSON that is valid by this JSON Schema; - for standard input.")
    private Optional<String> schema = Optional.empty();

    @Option(
            names = "--grammar",
            paramLabel = "FILE",
            description = "The answer matches this grammar in llama.cpp's notation (GBNF); - for standard input.")
    private Optional<String> grammar = Optional.empty();

    /// @throws ParameterException when more than one is given
    void check() {
        if ((jsonObject ? 1 : 0) + (schema.isPresent() ? 1 : 0) + (grammar.isPresent() ? 1 : 0) > 1) {
            throw new ParameterException(
                    command.commandLine(), "--json-object, --json-schema and --grammar exclude each other");
        }
    }

    /// @throws dev.panamoe.PanamoeException when the file cannot be read or followed
    Optional<Grammar> grammar(Console console) throws IOException {
        if (jsonObject) {
            return Optional.of(JsonSchema.anyObject());
        }
        if (schema.isPresent()) {
            String name = Input.name(schema.get());
            return Optional.of(JsonSchema.toGrammar(read(schema.get(), console), name));
        }
        if (grammar.isPresent()) {
            String name = Input.name(grammar.get());
            return Optional.of(Gbnf.parse(read(grammar.get(), console), name));
        }
        return Optional.empty();
    }

    private static String read(String file, Console console) throws IOException {
        return Input.text(Input.read(file, console.in()), Input.name(file));
    }
}
