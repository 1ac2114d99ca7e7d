package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Printable;
import tools.jackson.databind.node.ObjectNode;

/// What an assistant asks its caller to do: a function and its arguments.
///
/// @param id names the call, so that its result can be told from others'
/// @param name of the function
/// @param arguments the text of a JSON object
public record ToolCall(String id, String name, String arguments) {
    private static final int SHOWN = 60;

    /// @throws PanamoeException when the arguments are not a JSON object
    public ToolCall {
        if (CallJson.object(arguments).isEmpty()) {
            String start = arguments.substring(0, Math.min(SHOWN, arguments.length()));
            throw new PanamoeException("the arguments of the call of \"" + Printable.escape(name)
                    + "\" are not a JSON object: " + Printable.escape(start) + "; give them as {\"name\": value, …}");
        }
    }

    /// The arguments parsed.
    ObjectNode argumentsNode() {
        return CallJson.object(arguments).orElseThrow();
    }
}
