package dev.panamoe.tokenizer;

/// What llama.cpp does for files that name no pre-tokeniser, four splits one after the other:
/// `[\p{P}$+<=>^~|]+`, that of GPT-2, `\p{N}+`, `[0-9][0-9][0-9]`.
final class DefaultSplit {
    static final Splitter SPLITTER = Splitter.matches(Splitter.run(DefaultSplit::isPunctuation))
            .then(Gpt2Split.SPLITTER)
            .then(Splitter.matches(Splitter.run(CodePointClass::number)))
            .then(Splitter.matches(DefaultSplit::threeDigits));

    private DefaultSplit() {}

    private static boolean isPunctuation(int c) {
        return CodePointClass.punctuation(c) || (c < 0x80 && "$+<=>^~|".indexOf(c) >= 0);
    }

    private static int threeDigits(int[] text, int at, int to) {
        int end = Splitter.run(c -> c >= '0' && c <= '9', 3).match(text, at, to);
        return end == at + 3 ? end : at;
    }
}
