package dev.panamoe.engine;

import dev.panamoe.chat.OutputParser;
import dev.panamoe.grammar.GrammarConstraint;
import dev.panamoe.sampling.Constraint;
import java.util.Optional;
import java.util.Set;

/// What may come next in an answer whose content obeys a grammar. Before its content the model may reason, as it likes
/// but for ending the answer there, and call tools; with the content begun, it may do neither.
final class AnswerConstraint implements Constraint {
    private final GrammarConstraint content;
    /// Empty for raw text, where everything is content.
    private final Optional<OutputParser> parser;
    /// The tokens that begin something other than content.
    private final Set<Integer> openings;
    private final Set<Integer> stopTokens;
    private boolean begun;

    AnswerConstraint(
            GrammarConstraint content,
            Optional<OutputParser> parser,
            Set<Integer> openings,
            Set<Integer> stopTokens) {
        this.content = content;
        this.parser = parser;
        this.openings = openings;
        this.stopTokens = stopTokens;
    }

    /// Whether the content matches and nothing may follow.
    boolean isComplete() {
        return isContent() && content.isComplete();
    }

    private boolean isContent() {
        return parser.isEmpty() || parser.get().isContent();
    }

    private boolean isReasoning() {
        return parser.isPresent() && parser.get().isReasoning();
    }

    private boolean opens(int token) {
        return parser.isPresent() && !begun && openings.contains(token);
    }

    @Override
    public boolean allows(int token) {
        if (isContent()) {
            return opens(token) || content.allows(token);
        }
        return !isReasoning() || !stopTokens.contains(token);
    }

    @Override
    public void mask(float[] logits, int count) {
        if (isReasoning()) {
            stopTokens.forEach(token -> logits[token] = Float.NEGATIVE_INFINITY);
        }
        if (!isContent()) {
            return;
        }
        float[] kept = new float[openings.size()];
        int n = 0;
        for (int token : openings) {
            kept[n++] = logits[token];
        }
        content.mask(logits, count);
        n = 0;
        for (int token : openings) {
            float logit = kept[n++];
            if (opens(token)) {
                logits[token] = logit;
            }
        }
    }

    @Override
    public void accept(int token) {
        if (isContent() && !opens(token)) {
            begun = true;
            content.accept(token);
        }
    }
}
