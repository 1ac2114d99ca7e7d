package dev.panamoe.chat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// Calls without marks of their own, at the very beginning of an answer: only looked for when the model was given
/// tools, and only taken for calls when they name one of these.
///
/// @param prefix what they begin with
/// @param end finds where one ends
/// @param reader understands it
record BareCalls(String prefix, Supplier<End> end, CallSyntax.Reader reader) {
    private static final int NO_MARK = -1;

    /// The first place behind a call.
    interface End {
        int UNKNOWN = -1;
        int NEVER = -2;

        /// @param text from the call's beginning to where it has come; only grows
        /// @return the place, {@link #UNKNOWN} yet, or {@link #NEVER} when this is no call
        int find(StringBuilder text);
    }

    /// A JSON object with `name` and `parameters`.
    static final BareCalls LLAMA =
            new BareCalls("{", JsonEnd::new, (block, close, tools) -> CallJson.calls(block.raw()));

    /// The function's tags without the token that should be before them.
    static final BareCalls QWEN_CODER = new BareCalls(QwenCalls.FUNCTION, TagEnd::new, new QwenCalls());

    List<Call> read(String text, Map<String, Tool> tools) {
        Block block = new Block();
        block.append(text);
        List<Call> calls = reader.read(block, NO_MARK, tools);
        Set<String> known = tools.keySet();
        return calls.stream().allMatch(call -> known.contains(call.name())) ? calls : List.of();
    }

    /// Where the braces are balanced. An object that begins with another key is no call, and is not waited for.
    private static final class JsonEnd implements End {
        private static final Set<String> KEYS = Set.of("id", "type", "name", "function", "parameters", "arguments");

        private int firstQuote = -1;
        private int at;
        private int depth;
        private boolean quoted;
        private boolean escaped;

        @Override
        public int find(StringBuilder text) {
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (escaped) {
                    escaped = false;
                } else if (quoted) {
                    escaped = c == '\\';
                    quoted = c != '"';
                    if (!quoted && firstQuote >= 0) {
                        if (!KEYS.contains(text.substring(firstQuote, at - 1))) {
                            return NEVER;
                        }
                        firstQuote = Integer.MIN_VALUE;
                    }
                } else if (c == '"') {
                    quoted = true;
                    firstQuote = firstQuote == -1 ? at : firstQuote;
                } else if (c == '{') {
                    depth++;
                } else if (c == '}' && --depth == 0) {
                    return at;
                }
            }
            return UNKNOWN;
        }
    }

    private static final class TagEnd implements End {
        private int from;

        @Override
        public int find(StringBuilder text) {
            int found = text.indexOf(QwenCalls.FUNCTION_END, from);
            from = Math.max(0, text.length() - QwenCalls.FUNCTION_END.length() + 1);
            return found < 0 ? UNKNOWN : found + QwenCalls.FUNCTION_END.length();
        }
    }
}
