package dev.panamoe.tokenizer;

/// Which two neighbouring tokens may become which one, and in what order of preference.
interface Merges {
    /// No rule.
    int NONE = Integer.MAX_VALUE;

    /// The rule for two tokens, or [#NONE]. Negative ids stand for what is not in the vocabulary.
    int rule(int left, int right);

    /// What a rule is sorted by: the lowest is applied first, the leftmost where it is equal.
    int order(int rule);

    /// The token that the rule makes.
    int result(int rule);
}
