package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.grammar.Grammar;
import dev.panamoe.sampling.SamplingParams;
import java.util.List;
import java.util.Optional;

/// How an answer is generated.
///
/// @param maxTokens most tokens to generate
/// @param sampling how tokens are chosen
/// @param stops texts that end the answer; they are not part of it
/// @param ignoreEnd goes on behind tokens that end an answer (for measuring)
/// @param grammar what the content obeys; reasoning before it is free
public record GenerationOptions(
        int maxTokens, SamplingParams sampling, List<String> stops, boolean ignoreEnd, Optional<Grammar> grammar) {
    /// Until the model ends its answer or the context is full.
    public static final int UNLIMITED = Integer.MAX_VALUE;

    public GenerationOptions {
        if (maxTokens < 1) {
            throw new PanamoeException("the number of tokens to generate is " + maxTokens + ", expected 1 or more");
        }
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw new PanamoeException("a stop string is empty");
        }
        stops = List.copyOf(stops);
    }

    /// With what the model's authors recommend, see {@link Engine#defaultSampling}.
    public static GenerationOptions of(SamplingParams sampling) {
        return new GenerationOptions(UNLIMITED, sampling, List.of(), false, Optional.empty());
    }

    public GenerationOptions withMaxTokens(int count) {
        return new GenerationOptions(count, sampling, stops, ignoreEnd, grammar);
    }

    public GenerationOptions withSampling(SamplingParams params) {
        return new GenerationOptions(maxTokens, params, stops, ignoreEnd, grammar);
    }

    public GenerationOptions withStops(List<String> texts) {
        return new GenerationOptions(maxTokens, sampling, texts, ignoreEnd, grammar);
    }

    public GenerationOptions withIgnoreEnd(boolean ignore) {
        return new GenerationOptions(maxTokens, sampling, stops, ignore, grammar);
    }

    /// An answer that ends by itself matches the grammar; one that is cut by its length or a stop string need not.
    public GenerationOptions withGrammar(Grammar rules) {
        return new GenerationOptions(maxTokens, sampling, stops, ignoreEnd, Optional.of(rules));
    }
}
