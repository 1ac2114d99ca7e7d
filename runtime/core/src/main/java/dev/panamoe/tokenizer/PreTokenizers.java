package dev.panamoe.tokenizer;

import static java.util.Map.entry;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The pre-tokenisers that `tokenizer.ggml.pre` may name. To add one, write its alternation as a [Splitter.Rule] and
/// enter it here.
final class PreTokenizers {
    static final String DEFAULT = "default";

    private static final Map<String, Splitter> KNOWN = new TreeMap<>(Map.ofEntries(
            entry(DEFAULT, Gpt2Split.SPLITTER),
            entry("gpt-2", Gpt2Split.SPLITTER),
            entry("deepseek-v3", DeepSeekV3Split.SPLITTER),
            entry("deepseek-r1", DeepSeekV3Split.SPLITTER),
            entry("deepseek-llm", DeepSeekLlmSplit.SPLITTER)));

    private PreTokenizers() {}

    static Optional<Splitter> find(String name) {
        return Optional.ofNullable(KNOWN.get(name));
    }

    static Set<String> names() {
        return KNOWN.keySet();
    }
}
