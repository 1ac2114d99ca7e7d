package dev.panamoe.chat;

import java.util.Map;

/// One message of a conversation.
///
/// @param role who speaks, in the words that chat templates know: `system`, `user` or `assistant`
/// @param content what is said
public record ChatMessage(String role, String content) {
    public static ChatMessage system(String content) {
        return new ChatMessage("system", content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage("user", content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content);
    }

    /// As templates see it.
    Map<String, Object> variables() {
        return Map.of("role", role, "content", content);
    }
}
