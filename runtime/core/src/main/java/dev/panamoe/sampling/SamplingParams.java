package dev.panamoe.sampling;

import dev.panamoe.PanamoeException;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Supplier;

/// How the next token is chosen. Every value says how its step is turned off.
///
/// @param temperature what logits are divided by; 0 takes the likeliest token
/// @param topK how many of the likeliest tokens stay; 0 for all
/// @param topP the likeliest tokens that together reach this probability stay; 1 for all
/// @param minP tokens with at least this part of the likeliest one's probability stay; 0 for all
/// @param repetitionPenalty what positive logits of recent tokens are divided by and negative ones multiplied; 1 for
///     none
/// @param presencePenalty what is subtracted from the logits of recent tokens; 0 for none
/// @param penaltyWindow how many tokens back count as recent; 0 for none
/// @param seed of the generator: the same seed and logits give the same tokens on every machine
public record SamplingParams(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        int penaltyWindow,
        long seed) {

    public static final int MAX_PENALTY_WINDOW = 65_536;

    /// Always the likeliest token.
    public static final SamplingParams GREEDY = new SamplingParams(0, 0, 1, 0, 1, 0, 64, 0);

    /// What a file that recommends nothing gets.
    public static final SamplingParams DEFAULT = new SamplingParams(0.8f, 40, 0.95f, 0.05f, 1, 0, 64, 0);

    /// @throws PanamoeException naming the option that is out of its range
    public SamplingParams {
        check("temp", temperature, 0, 1_000);
        check("top-k", topK, 0, Integer.MAX_VALUE);
        check("top-p", topP, 0, 1);
        check("min-p", minP, 0, 1);
        check("repeat-penalty", repetitionPenalty, 0.01, 100);
        check("presence-penalty", presencePenalty, -100, 100);
        check("repeat-last-n", penaltyWindow, 0, MAX_PENALTY_WINDOW);
    }

    private static void check(String option, double value, double least, double most) {
        // So written, NaN fails too.
        if (!(value >= least && value <= most)) {
            throw new PanamoeException("sampling option " + option + " must be from " + text(least) + " to "
                    + text(most) + ", not " + text(value));
        }
    }

    private static String text(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.valueOf((long) value)
                : String.valueOf(value);
    }

    /// What the authors of a model recommend in its metadata under `general.sampling.`, over [#DEFAULT].
    ///
    /// @param lookup the number under a key
    /// @throws PanamoeException naming the key with a value out of range
    public static SamplingParams defaults(Function<String, OptionalDouble> lookup) {
        var file = new FileDefaults(lookup);
        int topK = (int) Math.max(0, file.get("top_k", DEFAULT.topK));
        double window = file.get("penalty_last_n", DEFAULT.penaltyWindow);
        return file.checked(() -> new SamplingParams(
                (float) Math.max(0, file.get("temp", DEFAULT.temperature)),
                topK,
                (float) file.get("top_p", DEFAULT.topP),
                (float) file.get("min_p", DEFAULT.minP),
                (float) file.get("penalty_repeat", DEFAULT.repetitionPenalty),
                (float) file.get("penalty_present", DEFAULT.presencePenalty),
                // -1 stands for the whole context.
                window < 0 ? MAX_PENALTY_WINDOW : (int) Math.min(window, MAX_PENALTY_WINDOW),
                DEFAULT.seed));
    }

    private record FileDefaults(Function<String, OptionalDouble> lookup) {
        double get(String key, double otherwise) {
            return lookup.apply("general.sampling." + key).orElse(otherwise);
        }

        SamplingParams checked(Supplier<SamplingParams> params) {
            try {
                return params.get();
            } catch (PanamoeException e) {
                throw new PanamoeException("metadata general.sampling.*: " + e.getMessage(), e);
            }
        }
    }

    public boolean isGreedy() {
        return temperature == 0;
    }

    public SamplingParams withTemperature(float value) {
        return new SamplingParams(value, topK, topP, minP, repetitionPenalty, presencePenalty, penaltyWindow, seed);
    }

    public SamplingParams withTopK(int value) {
        return new SamplingParams(
                temperature, value, topP, minP, repetitionPenalty, presencePenalty, penaltyWindow, seed);
    }

    public SamplingParams withTopP(float value) {
        return new SamplingParams(
                temperature, topK, value, minP, repetitionPenalty, presencePenalty, penaltyWindow, seed);
    }

    public SamplingParams withMinP(float value) {
        return new SamplingParams(
                temperature, topK, topP, value, repetitionPenalty, presencePenalty, penaltyWindow, seed);
    }

    public SamplingParams withRepetitionPenalty(float value) {
        return new SamplingParams(temperature, topK, topP, minP, value, presencePenalty, penaltyWindow, seed);
    }

    public SamplingParams withPresencePenalty(float value) {
        return new SamplingParams(temperature, topK, topP, minP, repetitionPenalty, value, penaltyWindow, seed);
    }

    public SamplingParams withPenaltyWindow(int value) {
        return new SamplingParams(temperature, topK, topP, minP, repetitionPenalty, presencePenalty, value, seed);
    }

    public SamplingParams withSeed(long value) {
        return new SamplingParams(
                temperature, topK, topP, minP, repetitionPenalty, presencePenalty, penaltyWindow, value);
    }
}
