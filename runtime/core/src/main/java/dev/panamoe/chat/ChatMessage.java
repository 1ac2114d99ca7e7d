package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// One message of a conversation. What a message does not have is empty.
///
/// @param role who speaks, in the words that chat templates know: `system`, `user`, `assistant` or `tool`
/// @param content what is said
/// @param reasoning what the assistant thought before; how much of it a model sees again is up to its template
/// @param toolCalls what the assistant asks for
/// @param toolCallId the call that a tool's message answers
/// @param name the function that a tool's message is the result of
public record ChatMessage(
        String role, String content, String reasoning, List<ToolCall> toolCalls, String toolCallId, String name) {
    private static final String TOOL = "tool";

    public ChatMessage {
        toolCalls = List.copyOf(toolCalls);
    }

    public ChatMessage(String role, String content) {
        this(role, content, "", List.of(), "", "");
    }

    public static ChatMessage system(String content) {
        return new ChatMessage("system", content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage("user", content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content);
    }

    public static ChatMessage assistant(String content, String reasoning, List<ToolCall> toolCalls) {
        return new ChatMessage("assistant", content, reasoning, toolCalls, "", "");
    }

    /// What a function gave, to go on with.
    ///
    /// @param call of the assistant's message before
    /// @param content the result, mostly JSON
    public static ChatMessage toolResult(ToolCall call, String content) {
        return new ChatMessage(TOOL, content, "", List.of(), call.id(), call.name());
    }

    /// The message in the format of OpenAI's interface, with `reasoning_content` for the reasoning.
    public ObjectNode toJson() {
        ObjectNode json = CallJson.object();
        json.put("role", role);
        json.put("content", content);
        if (!reasoning.isEmpty()) {
            json.put("reasoning_content", reasoning);
        }
        if (!toolCalls.isEmpty()) {
            ArrayNode calls = json.putArray("tool_calls");
            for (ToolCall call : toolCalls) {
                ObjectNode item = calls.addObject().put("id", call.id()).put("type", "function");
                item.putObject("function").put("name", call.name()).put("arguments", call.arguments());
            }
        }
        if (!toolCallId.isEmpty()) {
            json.put("tool_call_id", toolCallId);
        }
        if (!name.isEmpty()) {
            json.put("name", name);
        }
        return json;
    }

    /// Reads what {@link #toJson} writes, and what others send in this format: content may be null or parts of text,
    /// and arguments an object.
    ///
    /// @throws PanamoeException when it is something else
    public static ChatMessage fromJson(JsonNode json) {
        String role = json.path("role").asString("");
        if (role.isEmpty()) {
            throw new PanamoeException("a message has no role; expected {\"role\": \"user\", \"content\": \"…\"}");
        }
        String reasoning = string(json, "reasoning_content");
        return new ChatMessage(
                role,
                content(json.path("content")),
                reasoning.isEmpty() ? string(json, "reasoning") : reasoning,
                calls(json.path("tool_calls")),
                string(json, "tool_call_id"),
                string(json, "name"));
    }

    private static String string(JsonNode json, String key) {
        JsonNode value = json.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (!value.isString()) {
            throw new PanamoeException("the " + key + " of a message is not a string");
        }
        return value.asString();
    }

    private static String content(JsonNode content) {
        if (content.isMissingNode() || content.isNull()) {
            return "";
        }
        if (content.isString()) {
            return content.asString();
        }
        StringBuilder text = new StringBuilder();
        if (content.isArray()) {
            for (JsonNode part : content) {
                String type = part.path("type").asString("");
                if (!type.equals("text")) {
                    throw new PanamoeException("a part of a message's content has the type " + CallJson.quote(type)
                            + "; only text is supported");
                }
                text.append(string(part, "text"));
            }
            return text.toString();
        }
        throw new PanamoeException("the content of a message is neither a string nor an array of parts");
    }

    private static List<ToolCall> calls(JsonNode array) {
        List<ToolCall> calls = new ArrayList<>();
        for (JsonNode item : array) {
            JsonNode function = item.path("function");
            String name = string(function, "name");
            if (name.isEmpty()) {
                throw new PanamoeException("a call among a message's tool_calls has no function.name");
            }
            JsonNode arguments = function.path("arguments");
            String text = arguments.isObject() ? CallJson.write(arguments) : string(function, "arguments");
            calls.add(new ToolCall(string(item, "id"), name, text.isBlank() ? "{}" : text));
        }
        return calls;
    }
}
