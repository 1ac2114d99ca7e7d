package dev.panamoe.engine;

import dev.panamoe.chat.Dialect;
import dev.panamoe.chat.OutputParser;
import dev.panamoe.grammar.GrammarConstraint;
import dev.panamoe.sampling.Constraint;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// What may come next in an answer whose content obeys a grammar. Before its content a model that wants to may reason,
/// as it likes but for ending the answer there, and call tools; an answer that has called something may end without
/// content. It may open its reasoning only at the beginning: where the grammar leaves it little to say, it would do
/// nothing else.
final class AnswerConstraint implements Constraint {
    private final GrammarConstraint content;
    /// Empty for raw text, where everything is content.
    private final Optional<OutputParser> parser;
    private final Set<Integer> stopTokens;
    private final Set<Integer> callMarks;
    /// The tokens that may now begin something other than content.
    private Set<Integer> openings;

    private boolean contentBegun;
    /// White space that belongs to marks was the last: one such token is enough.
    private boolean spaced;

    private AnswerConstraint(
            GrammarConstraint content,
            Optional<OutputParser> parser,
            Set<Integer> stopTokens,
            Set<Integer> openings,
            Set<Integer> callMarks) {
        this.content = content;
        this.parser = parser;
        this.stopTokens = stopTokens;
        this.openings = openings;
        this.callMarks = callMarks;
    }

    /// For raw text.
    static AnswerConstraint ofText(GrammarConstraint content, Set<Integer> stopTokens) {
        return new AnswerConstraint(content, Optional.empty(), stopTokens, Set.of(), Set.of());
    }

    /// For an answer in a conversation.
    ///
    /// @param tools whether the model was given any
    static AnswerConstraint ofAnswer(
            GrammarConstraint content, Set<Integer> stopTokens, OutputParser parser, Dialect dialect, boolean tools) {
        Set<Integer> callMarks = tools ? dialect.callMarks() : Set.of();
        Set<Integer> openings = new HashSet<>(callMarks);
        dialect.reasoningMark().ifPresent(openings::add);
        parser.reserveContent();
        return new AnswerConstraint(content, Optional.of(parser), stopTokens, openings, callMarks);
    }

    /// Whether the content matches and nothing may follow.
    boolean isComplete() {
        return isContent() && content.isComplete();
    }

    private boolean isContent() {
        return parser.isEmpty() || parser.get().isContent();
    }

    @Override
    public boolean allows(int token) {
        return isAside(token) || (isContent() ? content.allows(token) : !stopTokens.contains(token));
    }

    /// Whether the token begins something other than content, is white space after it, or ends an answer that only
    /// calls.
    private boolean isAside(int token) {
        return stopTokens.contains(token)
                ? !contentBegun && parser.isPresent() && parser.get().endsCalling(token)
                : isContent() && (openings.contains(token) || isSpace(token));
    }

    /// Models write newlines behind their reasoning and between calls, where the grammar may have no place for them.
    private boolean isSpace(int token) {
        return !contentBegun && !spaced && parser.isPresent() && parser.get().skips(token) && !content.allows(token);
    }

    @Override
    public void mask(float[] logits, int count) {
        // A model that was going to answer must not begin to reason because its answer is not allowed.
        int likeliest = Logits.argMax(logits, count);
        float logit = logits[likeliest];
        boolean aside = isAside(likeliest);
        if (isContent()) {
            content.mask(logits, count);
        } else {
            stopTokens.forEach(token -> logits[token] = Float.NEGATIVE_INFINITY);
        }
        if (aside) {
            logits[likeliest] = logit;
        }
    }

    @Override
    public void accept(int token) {
        if (isContent() && !isAside(token)) {
            if (!contentBegun) {
                contentBegun = true;
                openings = Set.of();
                parser.ifPresent(OutputParser::beginContent);
            }
            content.accept(token);
        } else {
            spaced = isContent() && isSpace(token);
            openings = callMarks;
        }
    }
}
