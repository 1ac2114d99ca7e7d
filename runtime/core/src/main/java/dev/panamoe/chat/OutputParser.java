package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Separates a model's reasoning, its answer and its calls of tools while the tokens come, by token id where the
/// vocabulary has tokens for the marks, so that text which merely looks like a mark is left alone.
///
/// In which of these the answer begins is read from the end of the prompt. Calls are given when they are complete. What
/// was begun as a call and cannot be read as one, because it is broken or breaks off, is not lost: it becomes text of
/// the reasoning or the content, with its marks by name, where it stood. Other control tokens are not shown.
///
/// One object parses one answer; {@link Dialect#parser} makes it.
public abstract sealed class OutputParser permits HarmonyParser, ThoughtParser {
    final Tokenizer tokenizer;
    final Map<String, Tool> tools;
    final StringBuilder reasoning = new StringBuilder();
    final StringBuilder content = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private final int seed;
    private int callCount;
    private boolean contentReserved;

    OutputParser(Tokenizer tokenizer, List<Tool> tools, int[] prompt) {
        this.tokenizer = tokenizer;
        this.tools = tools.stream().collect(Collectors.toMap(Tool::name, Function.identity(), (a, b) -> b));
        this.seed = Arrays.hashCode(prompt);
    }

    /// Whether the next text would be reasoning.
    public abstract boolean isReasoning();

    /// Whether the next text would be shown as content, unless a mark comes before it.
    public abstract boolean isContent();

    /// Whether an answer that the token ends has called something, and breaks nothing off that was begun after that.
    public abstract boolean endsCalling(int token);

    /// Whether a token would not be shown, as white space that belongs to the marks before it.
    public abstract boolean skips(int token);

    /// The next token is content, whatever its text looks like.
    public abstract void beginContent();

    /// Keeps everything out of the content but the answer proper, for answers whose content is to obey a form: calls
    /// that cannot be read, and what is said before or between calls, become reasoning.
    public final void reserveContent() {
        contentReserved = true;
    }

    final boolean isContentReserved() {
        return contentReserved;
    }

    final boolean hasCalled() {
        return callCount > 0;
    }

    /// @param token the token generated
    /// @param text what it adds to the visible text, as a stream decoder gives it; may be empty
    public final Delta append(int token, String text) {
        accept(token, text);
        return take();
    }

    /// Text that came after the last token: the rest of a stream decoder, in which tokens play no part.
    public final Delta append(String text) {
        feed(text);
        return take();
    }

    /// The end: gives what was held back.
    public final Delta finish() {
        end();
        return take();
    }

    abstract void accept(int token, String text);

    abstract void feed(String text);

    abstract void end();

    /// The id is the same in every run, but differs between the calls of an answer and those of other prompts.
    final void call(Call call) {
        String id = "c" + HexFormat.of().toHexDigits(seed + 0x9E3779B9 * callCount++);
        calls.add(new ToolCall(id, call.name(), CallJson.write(call.arguments())));
    }

    /// Forgets what was given so far, but not the state.
    private void discard() {
        reasoning.setLength(0);
        content.setLength(0);
        calls.clear();
    }

    /// Forgets what the prompt gave.
    final void forgetPrompt() {
        discard();
        callCount = 0;
    }

    /// Tokens as text, control tokens by name.
    final String text(int[] tokens, int from, int to) {
        var bytes = new ByteArrayOutputStream();
        for (int i = from; i < to; i++) {
            bytes.writeBytes(tokenizer.bytes(tokens[i]));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    final String text(int token) {
        return text(new int[] {token}, 0, 1);
    }

    private Delta take() {
        if (reasoning.isEmpty() && content.isEmpty() && calls.isEmpty()) {
            return Delta.EMPTY;
        }
        var delta = new Delta(reasoning.toString(), content.toString(), calls);
        discard();
        return delta;
    }
}
