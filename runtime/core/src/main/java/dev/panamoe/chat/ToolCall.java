package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import tools.jackson.databind.node.ObjectNode;

/// What an assistant asks its caller to do: a function and its arguments.
///
/// @param id names the call, so that its result can be told from others'
/// @param name of the function
/// @param arguments the text of a JSON object
public record ToolCall(String id, String name, String arguments) {
    /// @throws PanamoeException when the arguments are not a JSON object
    public ToolCall {
        if (CallJson.object(arguments).isEmpty()) {
            throw new PanamoeException("the arguments of the call of " + CallJson.quote(name)
                    + " are not a JSON object; give them as {\"name\": value, …}");
        }
    }

    /// The arguments parsed.
    ObjectNode argumentsNode() {
        return CallJson.object(arguments).orElseThrow();
    }
}
