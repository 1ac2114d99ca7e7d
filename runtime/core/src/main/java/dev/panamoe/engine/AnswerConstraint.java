package dev.panamoe.engine;

import dev.panamoe.chat.OutputParser;
import dev.panamoe.grammar.GrammarConstraint;
import dev.panamoe.sampling.Constraint;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What may come next in an answer whose content obeys a grammar. The model may reason first, as it likes but for
/// ending the answer there; with the content begun, it may not reason again.
final class AnswerConstraint implements Constraint {
    private final GrammarConstraint content;
    /// Empty for raw text, where everything is content.
    private final Optional<OutputParser> parser;
    /// The token that opens the reasoning, if there is one.
    private final OptionalInt opening;
    private final Set<Integer> stopTokens;
    private boolean begun;

    AnswerConstraint(
            GrammarConstraint content, Optional<OutputParser> parser, OptionalInt opening, Set<Integer> stopTokens) {
        this.content = content;
        this.parser = parser;
        this.opening = opening;
        this.stopTokens = stopTokens;
    }

    /// Whether the content matches and nothing may follow.
    boolean isComplete() {
        return !isReasoning() && content.isComplete();
    }

    private boolean isReasoning() {
        return parser.isPresent() && parser.get().isReasoning();
    }

    private boolean opens(int token) {
        return parser.isPresent() && !begun && opening.isPresent() && opening.getAsInt() == token;
    }

    @Override
    public boolean allows(int token) {
        return isReasoning() ? !stopTokens.contains(token) : opens(token) || content.allows(token);
    }

    @Override
    public void mask(float[] logits, int count) {
        if (isReasoning()) {
            stopTokens.forEach(token -> logits[token] = Float.NEGATIVE_INFINITY);
            return;
        }
        int token = opening.orElse(-1);
        boolean mayOpen = opens(token);
        float logit = mayOpen ? logits[token] : 0;
        content.mask(logits, count);
        if (mayOpen) {
            logits[token] = logit;
        }
    }

    @Override
    public void accept(int token) {
        if (!isReasoning() && !opens(token)) {
            begun = true;
            content.accept(token);
        }
    }
}
