package dev.panamoe.chat;

import java.util.List;

/// What one more token adds to an answer.
///
/// @param reasoning text of the model's reasoning; often empty
/// @param content text of the answer proper; often empty
/// @param toolCalls calls that have become complete; mostly none
public record Delta(String reasoning, String content, List<ToolCall> toolCalls) {
    public static final Delta EMPTY = new Delta("", "");

    public Delta {
        toolCalls = List.copyOf(toolCalls);
    }

    public Delta(String reasoning, String content) {
        this(reasoning, content, List.of());
    }

    /// Whether it adds nothing.
    public boolean isEmpty() {
        return reasoning.isEmpty() && content.isEmpty() && toolCalls.isEmpty();
    }
}
