package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.Map;
import java.util.OptionalInt;

/// How a model's vocabulary sets its reasoning apart.
///
/// @param open text before the reasoning
/// @param openId its token; empty when it is found in the text instead
/// @param close text after the reasoning
/// @param closeId its token; empty when it is found in the text instead
/// @param header text that follows `open` and belongs to it
/// @param turn token that begins a message, beyond which the state of an answer does not reach; any control token is
///     one too
/// @param gap whether newlines between the reasoning and the content belong to neither
record Markers(
        String open,
        OptionalInt openId,
        String close,
        OptionalInt closeId,
        String header,
        OptionalInt turn,
        boolean gap) {
    static final String THINK = "<think>";
    static final String THINK_END = "</think>";

    /// Gemma 4's channel if the vocabulary has its tokens, otherwise `<think>` and `</think>`: special tokens, normal
    /// entries of the vocabulary, or plain text.
    ///
    /// @param plain ids of normal entries by their text
    static Markers of(Tokenizer tokenizer, Map<String, Integer> plain) {
        var open = tokenizer.idOf("<|channel>");
        var close = tokenizer.idOf("<channel|>");
        if (open.isPresent() && close.isPresent()) {
            var turn = tokenizer.idOf("<|turn>");
            return new Markers("<|channel>", open, "<channel|>", close, "thought\n", turn, false);
        }
        open = Dialect.find(tokenizer, plain, THINK);
        close = Dialect.find(tokenizer, plain, THINK_END);
        return new Markers(THINK, open, THINK_END, close, "", OptionalInt.empty(), true);
    }

    boolean beginsTurn(int token) {
        return Dialect.is(turn, token);
    }

    boolean opens(int token) {
        return Dialect.is(openId, token);
    }

    boolean closes(int token) {
        return Dialect.is(closeId, token);
    }
}
