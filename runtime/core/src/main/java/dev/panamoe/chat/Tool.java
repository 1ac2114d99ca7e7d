package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// A function that a model may ask its caller to run.
///
/// @param name what calls name
/// @param description tells the model what it does and when to use it
/// @param parameters a JSON Schema of the object that holds its arguments
public record Tool(String name, String description, JsonNode parameters) {
    private static final String NO_PARAMETERS = "{\"type\": \"object\", \"properties\": {}}";

    /// @throws PanamoeException when there is no name, or the parameters are not a schema of an object
    public Tool {
        if (name.isBlank()) {
            throw new PanamoeException("a tool has no name; give it one");
        }
        if (!parameters.isObject()) {
            throw new PanamoeException("the parameters of the tool " + name
                    + " are not a JSON object; give a JSON Schema such as " + NO_PARAMETERS);
        }
    }

    /// @param parameters the text of a JSON Schema
    /// @throws PanamoeException when it is not one
    public static Tool of(String name, String description, String parameters) {
        return new Tool(name, description, CallJson.read(parameters, "the parameters of the tool " + name));
    }

    /// Reads tools as OpenAI's interface has them: `{"type": "function", "function": {"name": …, "description": …,
    /// "parameters": …}}`, or the inner objects alone.
    ///
    /// @param array the text of a JSON array
    /// @param source for messages
    /// @throws PanamoeException when it holds something else
    public static List<Tool> list(String array, String source) {
        JsonNode node = CallJson.read(array, source);
        if (!node.isArray()) {
            throw new PanamoeException(source + ": expected a JSON array of tools");
        }
        List<Tool> tools = new ArrayList<>();
        for (JsonNode item : node) {
            JsonNode function = item.path("function").isObject() ? item.path("function") : item;
            String name = function.path("name").asString("");
            if (name.isBlank()) {
                throw new PanamoeException(source + ": tool " + (tools.size() + 1)
                        + " has no name; expected {\"type\": \"function\", \"function\": {\"name\": …}}");
            }
            JsonNode parameters = function.path("parameters");
            tools.add(new Tool(
                    name,
                    function.path("description").asString(""),
                    parameters.isMissingNode() ? CallJson.read(NO_PARAMETERS, source) : parameters));
        }
        return tools;
    }

    /// As templates see it.
    Map<String, Object> variables() {
        var function = new LinkedHashMap<String, Object>();
        function.put("name", name);
        function.put("description", description);
        function.put("parameters", CallJson.variables(parameters));
        var tool = new LinkedHashMap<String, Object>();
        tool.put("type", "function");
        tool.put("function", function);
        return tool;
    }
}
