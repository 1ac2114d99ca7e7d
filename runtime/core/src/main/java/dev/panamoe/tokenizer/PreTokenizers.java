package dev.panamoe.tokenizer;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The pre-tokenisers that `tokenizer.ggml.pre` may name, as llama.cpp knows them. To add one, write its alternation as
/// a [Splitter.Rule] and enter it here.
final class PreTokenizers {
    static final String DEFAULT = "default";

    private static final Map<String, PreTokenizer> KNOWN = new TreeMap<>();

    static {
        PreTokenizer llama3 = new PreTokenizer(Llama3Split.THREE_DIGITS, true, true);
        enter(llama3, "llama-bpe", "llama3", "llama-v3", "falcon3", "midm-2.0", "pixtral");
        enter(PreTokenizer.of(Llama3Split.THREE_DIGITS), "dbrx", "smaug-bpe");
        PreTokenizer qwen2 = PreTokenizer.of(Llama3Split.ONE_DIGIT);
        enter(qwen2, "qwen2", "deepseek-r1-qwen", "f2llmv2", "kormo", "megrez", "solar-open", "stablelm2");
        enter(PreTokenizer.of(Gpt4oSplit.SPLITTER), "gpt-4o", "kanana2", "llama4");
        enter(new PreTokenizer(Gpt4oSplit.TEKKEN, true, true), "tekken");
        PreTokenizer deepSeekV3 = PreTokenizer.of(DeepSeekV3Split.SPLITTER);
        enter(deepSeekV3, "deepseek-v3", "deepseek-r1", "hunyuan-dense", "joyai-llm");
        enter(PreTokenizer.of(DeepSeekLlmSplit.SPLITTER), "deepseek-llm");
        enter(PreTokenizer.of(DeepSeekCoderSplit.SPLITTER), "deepseek-coder");
        PreTokenizer gpt2 = PreTokenizer.of(Gpt2Split.SPLITTER);
        enter(gpt2, "gpt-2", "a.x-4.0", "exaone4", "gigachat", "mpt", "olmo", "phi-2", "trillion");
        PreTokenizer starCoder = PreTokenizer.of(Gpt2Split.DIGITS_APART);
        enter(starCoder, "starcoder", "codeshell", "command-r", "exaone", "minerva-7b", "refact", "smollm");
        enter(PreTokenizer.of(DefaultSplit.SPLITTER), DEFAULT);
    }

    private PreTokenizers() {}

    private static void enter(PreTokenizer preTokenizer, String... names) {
        for (String name : names) {
            KNOWN.put(name, preTokenizer);
        }
    }

    static Optional<PreTokenizer> find(String name) {
        return Optional.ofNullable(KNOWN.get(name));
    }

    static Set<String> names() {
        return KNOWN.keySet();
    }
}
