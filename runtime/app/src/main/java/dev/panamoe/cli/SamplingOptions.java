package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.sampling.SamplingParams;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// How the next token is chosen. What is not given comes from the model file, or from the runtime's defaults.
final class SamplingOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // picocli puts the real one here

    @Option(
            names = "--temp",
            paramLabel = "T",
            description = "Temperature; 0 always takes the likeliest token. This and the following default to what the"
                    + " model file recommends.")
    private Optional<Float> temperature = Optional.empty();

    @Option(names = "--top-k", paramLabel = "K", description = "Only the K likeliest tokens; 0 for all.")
    private Optional<Integer> topK = Optional.empty();

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Only the likeliest tokens that together reach probability P; 1 for all.")
    private Optional<Float> topP = Optional.empty();

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Only tokens with at least this part of the likeliest one's probability; 0 for all.")
    private Optional<Float> minP = Optional.empty();

    @Option(names = "--repeat-penalty", paramLabel = "X", description = "Against recent tokens; 1 for none.")
    private Optional<Float> repetition = Optional.empty();

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            description = "Subtracted from the logits of recent tokens; 0 for none.")
    private Optional<Float> presence = Optional.empty();

    @Option(names = "--repeat-last-n", paramLabel = "N", description = "How many tokens count as recent.")
    private Optional<Integer> window = Optional.empty();

    @Option(names = "--seed", paramLabel = "S", description = "The same seed gives the same text; random when absent.")
    private Optional<Long> seed = Optional.empty();

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "Ends the answer where this text comes; may be given several times.")
    private List<String> stops = new ArrayList<>();

    /// @throws ParameterException when one is empty
    List<String> stops() {
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw new ParameterException(command.commandLine(), "Invalid value for option '--stop': the text is empty");
        }
        return stops;
    }

    /// The given options over the defaults.
    ///
    /// @throws ParameterException when one is out of its range
    SamplingParams over(SamplingParams defaults) {
        try {
            SamplingParams p = defaults.withSeed(seed.orElseGet(SamplingOptions::randomSeed));
            p = temperature.map(p::withTemperature).orElse(p);
            p = topK.map(p::withTopK).orElse(p);
            p = topP.map(p::withTopP).orElse(p);
            p = minP.map(p::withMinP).orElse(p);
            p = repetition.map(p::withRepetitionPenalty).orElse(p);
            p = presence.map(p::withPresencePenalty).orElse(p);
            return window.map(p::withPenaltyWindow).orElse(p);
        } catch (PanamoeException e) {
            // The library names its options without dashes, and otherwise as they are here.
            String message = String.valueOf(e.getMessage()).replace("sampling option ", "--");
            throw new ParameterException(command.commandLine(), message);
        }
    }

    /// Short enough to be typed again, and exact in every JSON reader.
    private static long randomSeed() {
        return new SecureRandom().nextInt(Integer.MAX_VALUE);
    }
}
