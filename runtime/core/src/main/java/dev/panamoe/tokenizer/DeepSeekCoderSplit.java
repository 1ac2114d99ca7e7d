package dev.panamoe.tokenizer;

/// The pre-tokeniser of DeepSeek Coder, five splits one after the other: `[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`,
/// `[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+`, `\p{N}`.
final class DeepSeekCoderSplit {
    static final Splitter SPLITTER = Splitter.matches(Splitter.run(CodePointClass::newline, 1))
            .then(Splitter.matches(Splitter.afterSpace(CodePointClass::letter)))
            .then(Splitter.matches(Splitter.afterSpace(CodePointClass::punctuation)))
            .then(Splitter.matches(Splitter.run(DeepSeekLlmSplit.EASTERN::contains)))
            .then(Splitter.matches(Splitter.run(CodePointClass::number, 1)));

    private DeepSeekCoderSplit() {}
}
