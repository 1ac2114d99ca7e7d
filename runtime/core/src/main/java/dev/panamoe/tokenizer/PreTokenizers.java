package dev.panamoe.tokenizer;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The pre-tokenisers that `tokenizer.ggml.pre` may name. To add one, write its alternation as a [Splitter.Rule] and
/// enter it here.
final class PreTokenizers {
    static final String DEFAULT = "default";

    private static final Map<String, Splitter> KNOWN = new TreeMap<>(Map.of(
            DEFAULT, Gpt2Split.SPLITTER,
            "gpt-2", Gpt2Split.SPLITTER,
            "deepseek-v3", DeepSeekV3Split.SPLITTER,
            "deepseek-r1", DeepSeekV3Split.SPLITTER,
            "deepseek-llm", DeepSeekLlmSplit.SPLITTER));

    private PreTokenizers() {}

    static Optional<Splitter> find(String name) {
        return Optional.ofNullable(KNOWN.get(name));
    }

    static Set<String> names() {
        return KNOWN.keySet();
    }
}
