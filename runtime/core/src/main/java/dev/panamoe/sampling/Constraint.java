package dev.panamoe.sampling;

/// Says which tokens may come next in a text. It sees the text as tokens are accepted.
public interface Constraint {
    /// Whether the token may come next.
    boolean allows(int token);

    /// Sets the logits of all tokens that may not come next to -∞.
    ///
    /// @param logits one per token, the first `count` are looked at
    /// @throws dev.panamoe.PanamoeException when none may
    void mask(float[] logits, int count);

    /// Tells which token was taken; one that is allowed.
    void accept(int token);
}
