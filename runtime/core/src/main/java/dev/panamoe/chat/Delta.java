package dev.panamoe.chat;

/// What one more token adds to an answer.
///
/// @param reasoning text of the model's reasoning; often empty
/// @param content text of the answer proper; often empty
public record Delta(String reasoning, String content) {
    public static final Delta EMPTY = new Delta("", "");
}
