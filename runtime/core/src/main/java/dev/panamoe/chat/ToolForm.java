package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// In which form a template wants messages with calls: some lose or refuse what others need. This is found out by
/// rendering a small conversation.
///
/// @param nullContent whether a message that only calls has null as its content, not an empty text
/// @param textArguments whether arguments are the text of JSON, not a mapping
/// @param mixed what becomes of content beside calls
/// @param oneByOne whether a message may have one call only
record ToolForm(boolean nullContent, boolean textArguments, Mixed mixed, boolean oneByOne) {
    /// For conversations without calls.
    static final ToolForm PLAIN = new ToolForm(false, false, Mixed.TOGETHER, false);

    private static final String FUNCTION = "probe_function";
    private static final String KEY = "probe_key";
    private static final String VALUE = "probe-value";
    private static final String CONTENT = "probe-content";
    private static final String REASONING = "probe-reasoning";

    enum Mixed {
        /// It stays in the message.
        TOGETHER,
        /// It becomes part of the reasoning, since the template takes only one of the two.
        REASONED,
        /// It becomes a message before.
        APART
    }

    /// @param render the template, of messages as it sees them
    static ToolForm of(Function<List<Map<String, @Nullable Object>>, String> render) {
        ChatMessage bare = assistant("", "", 1);
        for (boolean text : new boolean[] {false, true}) {
            for (boolean nulls : new boolean[] {true, false}) {
                ToolForm candidate = new ToolForm(nulls, text, Mixed.TOGETHER, false);
                if (candidate.shows(render, bare, FUNCTION, KEY, VALUE)) {
                    return candidate.withMixed(render).withOneByOne(render);
                }
            }
        }
        return PLAIN;
    }

    private ToolForm withMixed(Function<List<Map<String, @Nullable Object>>, String> render) {
        if (shows(render, assistant(CONTENT, REASONING, 1), FUNCTION, CONTENT)) {
            return this;
        }
        boolean contentAlone = shows(render, assistant(CONTENT, "", 1), FUNCTION, CONTENT);
        return new ToolForm(nullContent, textArguments, contentAlone ? Mixed.REASONED : Mixed.APART, oneByOne);
    }

    private ToolForm withOneByOne(Function<List<Map<String, @Nullable Object>>, String> render) {
        boolean several = shows(render, assistant("", "", 2), FUNCTION + 0, FUNCTION + 1);
        return new ToolForm(nullContent, textArguments, mixed, !several);
    }

    private static ChatMessage assistant(String content, String reasoning, int calls) {
        List<ToolCall> list = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            list.add(new ToolCall("probe0000", FUNCTION + i, "{\"" + KEY + "\": \"" + VALUE + "\"}"));
        }
        return ChatMessage.assistant(content, reasoning, list);
    }

    /// Whether the rendered text has all this, and neither Python's form of a mapping nor of null, nor text in quotes.
    private boolean shows(
            Function<List<Map<String, @Nullable Object>>, String> render, ChatMessage message, String... texts) {
        List<ChatMessage> talk = new ArrayList<>(List.of(ChatMessage.user("probe"), message));
        message.toolCalls().forEach(call -> talk.add(ChatMessage.toolResult(call, "probe")));
        String rendered;
        try {
            rendered = render.apply(variables(talk, Guard.NONE));
        } catch (PanamoeException e) {
            return false;
        }
        for (String text : texts) {
            if (!rendered.contains(text)) {
                return false;
            }
        }
        boolean written = rendered.contains("'" + KEY + "'") || rendered.contains("\\\"" + KEY);
        return !written && !(nullContent && rendered.contains("None"));
    }

    /// The messages as the template sees them.
    List<Map<String, @Nullable Object>> variables(List<ChatMessage> messages, Guard guard) {
        List<ChatMessage> fitted = messages;
        if (mixed != Mixed.TOGETHER) {
            fitted = fitted.stream().flatMap(m -> unmixed(m).stream()).toList();
        }
        if (oneByOne) {
            fitted = oneByOne(fitted);
        }
        return fitted.stream().map(m -> variables(m, guard)).toList();
    }

    private List<ChatMessage> unmixed(ChatMessage m) {
        if (m.toolCalls().isEmpty() || m.content().isEmpty()) {
            return List.of(m);
        }
        if (mixed == Mixed.APART) {
            return List.of(ChatMessage.assistant(m.content()), ChatMessage.assistant("", m.reasoning(), m.toolCalls()));
        }
        return m.reasoning().isEmpty()
                ? List.of(m)
                : List.of(ChatMessage.assistant("", m.reasoning() + "\n\n" + m.content(), m.toolCalls()));
    }

    /// A message for every call, and behind it the results of this call.
    private static List<ChatMessage> oneByOne(List<ChatMessage> messages) {
        List<ChatMessage> parted = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage m = messages.get(i);
            if (m.toolCalls().size() < 2) {
                parted.add(m);
                continue;
            }
            int end = i + 1;
            while (end < messages.size() && messages.get(end).role().equals("tool")) {
                end++;
            }
            List<ChatMessage> results = new ArrayList<>(messages.subList(i + 1, end));
            for (int c = 0; c < m.toolCalls().size(); c++) {
                ToolCall call = m.toolCalls().get(c);
                parted.add(
                        ChatMessage.assistant(c == 0 ? m.content() : "", c == 0 ? m.reasoning() : "", List.of(call)));
                Optional<ChatMessage> result = results.stream()
                        .filter(r -> r.toolCallId().equals(call.id()))
                        .findFirst();
                result.ifPresent(r -> {
                    parted.add(r);
                    results.remove(r);
                });
            }
            parted.addAll(results);
            i = end - 1;
        }
        return parted;
    }

    private Map<String, @Nullable Object> variables(ChatMessage m, Guard guard) {
        var variables = new LinkedHashMap<String, @Nullable Object>();
        boolean onlyCalls = !m.toolCalls().isEmpty() && m.content().isEmpty();
        variables.put("role", m.role());
        variables.put("content", onlyCalls && nullContent ? null : guard.text(m.role(), m.content()));
        if (!m.reasoning().isEmpty()) {
            String reasoning = guard.text(m.role(), m.reasoning());
            variables.put("reasoning_content", reasoning);
            // Harmony's template has its own name for it.
            variables.put("thinking", reasoning);
        }
        if (!m.toolCalls().isEmpty()) {
            variables.put(
                    "tool_calls",
                    m.toolCalls().stream().map(call -> variables(call, guard)).toList());
        }
        if (!m.toolCallId().isEmpty()) {
            variables.put("tool_call_id", guard.outside(m.toolCallId()));
        }
        if (!m.name().isEmpty()) {
            variables.put("name", guard.outside(m.name()));
        }
        return variables;
    }

    private Map<String, Object> variables(ToolCall call, Guard guard) {
        var function = new LinkedHashMap<String, Object>();
        function.put("name", guard.outside(call.name()));
        function.put(
                "arguments",
                textArguments
                        ? guard.outside(CallJson.write(call.argumentsNode()))
                        : guarded(CallJson.variables(call.argumentsNode()), guard));
        var item = new LinkedHashMap<String, Object>();
        item.put("id", guard.outside(call.id()));
        item.put("type", "function");
        item.put("function", function);
        return item;
    }

    /// A value with every text in it guarded, keys too.
    static Object guarded(Object value, Guard guard) {
        return switch (value) {
            case String s -> guard.outside(s);
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>();
                for (Object item : list) {
                    copy.add(item == null ? null : guarded(item, guard));
                }
                yield copy;
            }
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((key, item) ->
                        copy.put(guard.outside((String) key), item == null ? null : guarded(item, guard)));
                yield copy;
            }
            default -> value;
        };
    }
}
