package dev.panamoe.cli;

import dev.panamoe.grammar.Gbnf;
import dev.panamoe.grammar.Grammar;
import dev.panamoe.grammar.JsonSchema;
import java.io.IOException;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// What the answer has to obey.
final class GrammarOptions {
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
    void check(ModelOptions model) {
        if ((jsonObject ? 1 : 0) + (schema.isPresent() ? 1 : 0) + (grammar.isPresent() ? 1 : 0) > 1) {
            throw model.usage("--json-object, --json-schema and --grammar exclude each other");
        }
    }

    /// @throws dev.panamoe.PanamoeException when the file cannot be read or followed
    Optional<Grammar> grammar(Console console) throws IOException {
        if (jsonObject) {
            return Optional.of(JsonSchema.anyObject());
        }
        if (schema.isPresent()) {
            String file = schema.get();
            return Optional.of(JsonSchema.toGrammar(Input.text(file, console.in()), Input.name(file)));
        }
        if (grammar.isPresent()) {
            String file = grammar.get();
            return Optional.of(Gbnf.parse(Input.text(file, console.in()), Input.name(file)));
        }
        return Optional.empty();
    }
}
