package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
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
public record Markers(
        String open,
        OptionalInt openId,
        String close,
        OptionalInt closeId,
        String header,
        OptionalInt turn,
        boolean gap) {
    /// Gemma 4's channel if the vocabulary has its tokens, otherwise `<think>` and `</think>`: special tokens, normal
    /// entries of the vocabulary, or plain text.
    /// Looks through the vocabulary: once per model, not per answer.
    public static Markers of(Tokenizer tokenizer) {
        var open = tokenizer.idOf("<|channel>");
        var close = tokenizer.idOf("<channel|>");
        if (open.isPresent() && close.isPresent()) {
            var turn = tokenizer.idOf("<|turn>");
            return new Markers("<|channel>", open, "<channel|>", close, "thought\n", turn, false);
        }
        open = find(tokenizer, "<think>");
        close = find(tokenizer, "</think>");
        return new Markers("<think>", open, "</think>", close, "", OptionalInt.empty(), true);
    }

    private static OptionalInt find(Tokenizer tokenizer, String text) {
        var special = tokenizer.idOf(text);
        if (special.isPresent()) {
            return special;
        }
        for (int id = 0; id < tokenizer.size(); id++) {
            if (tokenizer.token(id).equals(text)) {
                return OptionalInt.of(id);
            }
        }
        return OptionalInt.empty();
    }

    boolean beginsTurn(int token) {
        return turn.isPresent() && turn.getAsInt() == token;
    }

    boolean opens(int token) {
        return openId.isPresent() && openId.getAsInt() == token;
    }

    boolean closes(int token) {
        return closeId.isPresent() && closeId.getAsInt() == token;
    }
}
