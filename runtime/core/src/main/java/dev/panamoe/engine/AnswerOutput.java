package dev.panamoe.engine;

import dev.panamoe.chat.Delta;
import dev.panamoe.chat.OutputParser;
import dev.panamoe.chat.StopStrings;
import dev.panamoe.chat.ToolCall;
import dev.panamoe.tokenizer.TokenStream;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// From tokens to text: decoded, parted into reasoning, content and calls, cut at stop strings.
final class AnswerOutput {
    /// Empty for raw text, where everything is content.
    private final Optional<OutputParser> parser;
    private final StopStrings stops;
    private final Tokenizer tokenizer;
    private final TokenStream stream;
    private final Consumer<Delta> listener;
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private boolean stopped;

    AnswerOutput(Optional<OutputParser> parser, List<String> stops, Tokenizer tokenizer, Consumer<Delta> listener) {
        this.parser = parser;
        this.stops = new StopStrings(stops);
        this.tokenizer = tokenizer;
        this.stream = parser.isPresent() ? tokenizer.stream(false) : tokenizer.continuation(false);
        this.listener = listener;
    }

    /// Whether a stop string was met.
    boolean accept(int token) {
        if (parser.isPresent() && tokenizer.isControl(token)) {
            // Half a character of the reasoning must not become the beginning of the content.
            emit(parser.get().append(stream.breakOff()));
        }
        String text = stream.append(token);
        emit(parser.isPresent() ? parser.get().append(token, text) : new Delta("", text));
        return stopped;
    }

    /// A token that ends the answer has no text, but may close a call.
    boolean end(int token) {
        parser.ifPresent(p -> emit(p.append(token, "")));
        return true;
    }

    void finish() {
        if (stopped) {
            return;
        }
        String rest = stream.finish();
        emit(parser.isPresent() ? parser.get().append(rest) : new Delta("", rest));
        parser.ifPresent(p -> emit(p.finish()));
        show(new Delta("", stops.finish()));
    }

    String content() {
        return content.toString();
    }

    String reasoning() {
        return reasoning.toString();
    }

    List<ToolCall> calls() {
        return calls;
    }

    private void emit(Delta delta) {
        StopStrings.Result kept = stops.append(delta.content());
        stopped |= kept.stop().isPresent();
        show(new Delta(delta.reasoning(), kept.text(), delta.toolCalls()));
    }

    private void show(Delta delta) {
        if (!delta.isEmpty()) {
            reasoning.append(delta.reasoning());
            content.append(delta.content());
            calls.addAll(delta.toolCalls());
            listener.accept(delta);
        }
    }
}
