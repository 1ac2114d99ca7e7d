package dev.panamoe.template;

import java.time.LocalDateTime;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A chat template in Jinja, parsed once and rendered often; immutable and safe to share.
///
/// It renders what `apply_chat_template` of Hugging Face transformers does: the immutable sandbox of Jinja2 with
/// `trim_blocks`, `lstrip_blocks`, loop controls, `raise_exception`, `strftime_now` and its own `tojson`. One thing
/// differs: an unknown filter is an error when it is executed, wherever it stands.
///
/// A template comes with the model file, so it is untrusted: it can reach nothing but its variables, and parsing and
/// rendering are bounded in work, depth and memory, see [Budget].
public final class ChatTemplate {
    private final Statement.Block root;

    private ChatTemplate(Statement.Block root) {
        this.root = root;
    }

    /// @throws TemplateException when the source is not valid, naming the line
    public static ChatTemplate parse(String source) {
        return new ChatTemplate(Budget.within(() -> StatementParser.parse(source)));
    }

    /// @param variables `messages`, `add_generation_prompt` and so on: strings, numbers, booleans, null, collections
    ///     and maps of these
    /// @param now what `strftime_now` shows
    /// @throws TemplateException what the template raises itself, or would raise in Python, or a limit exceeded
    public String render(Map<String, ? extends @Nullable Object> variables, LocalDateTime now) {
        return Budget.within(() -> {
            var globals = new Scope(null);
            Globals.define(globals, now);
            var scope = new Scope(globals);
            variables.forEach((name, value) -> scope.set(name, Values.of(value)));
            return Interpreter.capture(root, new Scope(scope));
        });
    }
}
