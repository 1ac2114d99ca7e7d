package dev.panamoe.tokenizer;

/// How a family writes running text, that is text without special tokens, in its vocabulary.
interface TextRules {
    /// Adds the tokens of `utf8[from .. to)`.
    void encode(byte[] utf8, int from, int to, Merger merger, IntList tokens);

    /// The bytes that a token that is not special stands for, or a user-defined one.
    byte[] bytes(int id);
}
