package dev.panamoe.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// Reads the calls of Qwen: a JSON object with `name` and `arguments`, or the tags of Qwen3-Coder,
/// `<function=NAME><parameter=KEY>VALUE</parameter>…</function>`, in which values are raw text with a line break before
/// and after, and the tool's schema says what they are.
///
/// Closing tags may be missing where the next one begins, but for the last `</function>`.
final class QwenCalls implements CallSyntax.Reader {
    static final String FUNCTION = "<function=";
    static final String FUNCTION_END = "</function>";
    private static final String PARAMETER = "<parameter=";
    private static final String PARAMETER_END = "</parameter>";

    @Override
    public List<Call> read(Block block, int close, Map<String, Tool> tools) {
        String body = block.body(close);
        return body.startsWith(FUNCTION) ? new Tags(body, tools).calls() : CallJson.calls(body);
    }

    /// One text with tags, read from left to right.
    private static final class Tags {
        private final String text;
        private final Map<String, Tool> tools;
        private int at;

        Tags(String text, Map<String, Tool> tools) {
            this.text = text;
            this.tools = tools;
        }

        List<Call> calls() {
            List<Call> calls = new ArrayList<>();
            while (skipSpace()) {
                Optional<Call> call = call();
                if (call.isEmpty()) {
                    return List.of();
                }
                calls.add(call.get());
            }
            return calls;
        }

        private Optional<Call> call() {
            String name = tag(FUNCTION);
            if (name.isEmpty()) {
                return Optional.empty();
            }
            ObjectNode arguments = CallJson.object();
            while (skipSpace() && text.startsWith(PARAMETER, at)) {
                String key = tag(PARAMETER);
                String value = value();
                if (key.isEmpty()) {
                    return Optional.empty();
                }
                arguments.set(key, SchemaTypes.of(tools.get(name), key).read(value));
            }
            if (!text.startsWith(FUNCTION_END, at)) {
                return Optional.empty();
            }
            at += FUNCTION_END.length();
            return Optional.of(new Call(name, arguments));
        }

        /// What an opening tag names; empty when there is no such tag here.
        private String tag(String opening) {
            int end = text.startsWith(opening, at) ? text.indexOf('>', at) : -1;
            if (end < 0) {
                return "";
            }
            String name = text.substring(at + opening.length(), end).strip();
            at = end + 1;
            return name;
        }

        private String value() {
            int from = at;
            while (at < text.length() && !atTag()) {
                at++;
            }
            String value = text.substring(from, at);
            if (text.startsWith(PARAMETER_END, at)) {
                at += PARAMETER_END.length();
            }
            int start = value.startsWith("\n") ? 1 : 0;
            int end = value.length() > start && value.endsWith("\n") ? value.length() - 1 : value.length();
            return value.substring(start, end);
        }

        private boolean atTag() {
            return text.charAt(at) == '<'
                    && (text.startsWith(PARAMETER_END, at)
                            || text.startsWith(PARAMETER, at)
                            || text.startsWith(FUNCTION_END, at));
        }

        private boolean skipSpace() {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            return at < text.length();
        }
    }
}
