package dev.panamoe.engine;

import dev.panamoe.chat.OutputParser;
import dev.panamoe.grammar.GrammarConstraint;
import dev.panamoe.sampling.Constraint;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What may come next in an answer whose content obeys a grammar. A model that wants to reason first may do so, as it
/// likes but for ending the answer there. After that, and once the content has begun, it may not open reasoning again:
/// where the grammar leaves it little to say, it would do nothing else.
final class AnswerConstraint implements Constraint {
    private final GrammarConstraint content;
    /// Empty for raw text, where everything is content.
    private final Optional<OutputParser> parser;
    /// The token that opens the reasoning, if there is one.
    private final OptionalInt opening;
    private final Set<Integer> stopTokens;
    private boolean first = true;

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
        return parser.isPresent() && first && opening.isPresent() && opening.getAsInt() == token;
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
        float logit = opens(token) && isLikeliest(token, logits, count) ? logits[token] : Float.NEGATIVE_INFINITY;
        content.mask(logits, count);
        if (logit > Float.NEGATIVE_INFINITY) {
            logits[token] = logit;
        }
    }

    /// A model that was going to answer must not begin to reason because its answer is not allowed.
    private static boolean isLikeliest(int token, float[] logits, int count) {
        for (int i = 0; i < count; i++) {
            if (logits[i] > logits[token]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void accept(int token) {
        if (!isReasoning() && !opens(token)) {
            content.accept(token);
        }
        first = false;
    }
}
