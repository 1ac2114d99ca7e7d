package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.EmbeddedModels;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jline.utils.Levenshtein;

/// What can be typed in a conversation besides messages.
enum SlashCommand {
    HELP("/help", "", "this list"),
    RESET("/reset", "", "begins a new conversation; the system message stays"),
    SYSTEM("/system", "[TEXT]", "sets the system message, - removes it; shows it without TEXT"),
    SAVE("/save", "FILE", "writes the conversation to a new file, one message a line, as JSON"),
    OVERWRITE("/save!", "FILE", "the same, and FILE may exist"),
    LOAD("/load", "FILE", "goes on with a conversation that was saved"),
    STATS("/stats", "", "what this conversation took so far, and memory"),
    MODEL("/model", "[M]", "goes on with another model: a GGUF file or demo:NAME; shows the model without M"),
    THINK("/think", "[HOW]", "reasoning: show it, fold it to a line, or hide it; shows the last one without HOW"),
    TRIM("/trim", "N", "drops the N oldest questions and their answers"),
    QUIT("/quit", "", "leaves; Ctrl-D does too");

    private static final int NEAR = 2;

    private final String text;
    private final String argument;
    private final String description;

    SlashCommand(String text, String argument, String description) {
        this.text = text;
        this.argument = argument;
        this.description = description;
    }

    static Optional<SlashCommand> find(String text) {
        if (text.equals("/?")) {
            return Optional.of(HELP);
        }
        return Arrays.stream(values()).filter(c -> c.text.equals(text)).findFirst();
    }

    /// @throws PanamoeException when there is no such command, with the nearest
    static SlashCommand of(String text) {
        return find(text).orElseThrow(() -> {
            String nearest = Stream.of(values())
                    .map(SlashCommand::text)
                    .min(Comparator.comparingInt(c -> distance(text, c)))
                    .orElseThrow();
            String remedy = distance(text, nearest) <= NEAR ? "did you mean " + nearest + "?" : "/help lists them";
            return new PanamoeException(
                    "there is no command " + text + "; " + remedy + " (a message may begin with a blank)");
        });
    }

    /// The beginning of a command is near to it.
    private static int distance(String typed, String command) {
        return command.startsWith(typed) ? 0 : Levenshtein.distance(typed, command);
    }

    String text() {
        return text;
    }

    String description() {
        return description;
    }

    /// As help shows it: `/load FILE`.
    String usage() {
        return argument.isEmpty() ? text : text + " " + argument;
    }

    boolean takesArgument() {
        return !argument.isEmpty();
    }

    boolean needsArgument() {
        return takesArgument() && !argument.startsWith("[");
    }

    boolean takesFile() {
        return this == SAVE || this == OVERWRITE || this == LOAD || this == MODEL;
    }

    /// What the argument can be, besides a file.
    List<String> choices() {
        return switch (this) {
            case MODEL -> EmbeddedModels.names();
            case THINK ->
                Arrays.stream(Thoughts.values()).map(EnumConverter::label).toList();
            default -> List.of();
        };
    }
}
