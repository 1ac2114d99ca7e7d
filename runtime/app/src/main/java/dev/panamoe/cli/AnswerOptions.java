package dev.panamoe.cli;

import dev.panamoe.chat.ChatMessage;
import dev.panamoe.engine.GenerationOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// How a conversation is answered, besides {@link SamplingOptions}.
final class AnswerOptions {
    @Option(names = "--system", paramLabel = "TEXT", description = "A system message before the prompt.")
    private Optional<String> system = Optional.empty();

    @Option(names = "--think", description = "Asks the model to reason first; up to the model's template when absent.")
    private boolean think;

    @Option(names = "--no-think", description = "Asks the model not to.")
    private boolean noThink;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens to generate; by default until the model ends its answer or the context is full.")
    private Optional<Integer> maxTokens = Optional.empty();

    /// @throws ParameterException when something is out of range or excludes something else
    void check(ModelOptions model) {
        model.atLeastOne("-n", maxTokens);
        if (think && noThink) {
            throw model.usage("--think and --no-think exclude each other");
        }
    }

    /// Whether something was asked for that only a chat template can do.
    boolean needTemplate() {
        return system.isPresent() || think || noThink;
    }

    int maxTokens() {
        return maxTokens.orElse(GenerationOptions.UNLIMITED);
    }

    /// The system message, if there is one.
    List<ChatMessage> system() {
        return system.map(ChatMessage::system).stream().toList();
    }

    /// Templates know the switch under one of these names.
    Map<String, Object> templateVariables() {
        return think || noThink ? Map.of("enable_thinking", think, "thinking", think) : Map.of();
    }
}
