package dev.panamoe.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// What the model is given to read: words, token ids, or standard input.
final class PromptOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

    @Parameters(
            paramLabel = "PROMPT",
            arity = "0..*",
            description = "Words, joined by a space; standard input as a whole when there are none."
                    + " Put -- before a prompt that begins with a dash.")
    private List<String> words = new ArrayList<>();

    @Option(
            names = "--tokens",
            paramLabel = "IDS",
            split = TokenIds.SEPARATOR,
            hideParamSyntax = true,
            description = "Token ids instead of a text: 1,2,3. They are taken as they are.")
    private List<Integer> tokens = new ArrayList<>();

    boolean hasTokens() {
        return !tokens.isEmpty();
    }

    /// @throws ParameterException when there is a text too
    int[] tokens() {
        if (!words.isEmpty()) {
            throw new ParameterException(command.commandLine(), "--tokens and a PROMPT exclude each other");
        }
        return TokenIds.array(tokens);
    }

    /// @throws ParameterException when the text is empty, or there are no words and a person sits at standard input
    String text(Console console) throws IOException {
        String text = words.isEmpty() ? standardInput(console) : String.join(" ", words);
        if (text.isEmpty()) {
            throw new ParameterException(command.commandLine(), "the PROMPT is empty");
        }
        return text;
    }

    private String standardInput(Console console) throws IOException {
        if (console.inIsTerminal()) {
            throw new ParameterException(
                    command.commandLine(), "a PROMPT is missing: give it as arguments or on standard input");
        }
        return Input.text(console.in().readAllBytes(), "standard input");
    }
}
