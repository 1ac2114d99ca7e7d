package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.HashSet;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Takes the meaning from marks in texts of a conversation that the program itself did not write, so that they cannot
/// forge turns, calls or reasoning. What is left of the roles system and developer is trusted.
///
/// @param outside for what users, tools and the declarations of tools say, and for the arguments of calls
/// @param assistant for the text of answers, in which templates look for the marks of reasoning to take it out
public record Guard(UnaryOperator<String> outside, UnaryOperator<String> assistant) {
    public static final Guard NONE = new Guard(UnaryOperator.identity(), UnaryOperator.identity());

    /// Against control tokens and the marks of the model's dialect, but in answers not against those of reasoning.
    public static Guard of(Tokenizer tokenizer, Dialect dialect) {
        Set<Integer> marks = dialect.marks();
        // What a model repeats of a user's text must not become a call in the next turn.
        Set<Integer> inAnswers = new HashSet<>(marks);
        inAnswers.removeAll(dialect.reasoningMarks());
        return new Guard(text -> tokenizer.guard(text, marks), text -> tokenizer.guard(text, inAnswers));
    }

    String text(String role, String text) {
        return switch (role) {
            case "system", "developer" -> text;
            case "assistant" -> assistant.apply(text);
            default -> outside.apply(text);
        };
    }

    String outside(String text) {
        return outside.apply(text);
    }
}
