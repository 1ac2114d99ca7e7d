package dev.panamoe.chat;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// The JSON types that a schema allows a parameter to have, and what a raw text is by them.
///
/// @param names `string`, `integer` and so on; none when the schema does not say
record SchemaTypes(Set<String> names) {
    private static final int DEEPEST = 8;

    /// @param tool null when the model called one that it was not given
    static SchemaTypes of(@Nullable Tool tool, String parameter) {
        Set<String> names = new HashSet<>();
        if (tool != null) {
            collect(tool.parameters().path("properties").path(parameter), names, 0);
        }
        return new SchemaTypes(names);
    }

    private static void collect(JsonNode schema, Set<String> names, int depth) {
        JsonNode type = schema.path("type");
        for (JsonNode name : type.isArray() ? type : List.of(type)) {
            if (name.isString()) {
                names.add(name.asString().toLowerCase(Locale.ROOT));
            }
        }
        if (schema.has("const")) {
            names.add(typeOf(schema.path("const")));
        }
        for (JsonNode value : schema.path("enum")) {
            names.add(typeOf(value));
        }
        if (depth < DEEPEST) {
            for (String choice : List.of("anyOf", "oneOf", "allOf")) {
                for (JsonNode option : schema.path(choice)) {
                    collect(option, names, depth + 1);
                }
            }
        }
    }

    /// A string stays one unless the schema allows something else that the text is. Where the schema says nothing, only
    /// objects and arrays are taken for what they look like.
    JsonNode read(String text) {
        String word = text.strip();
        // Templates print Python's words.
        String json = switch (word) {
            case "True" -> "true";
            case "False" -> "false";
            case "None" -> "null";
            default -> word;
        };
        Optional<JsonNode> node = CallJson.parse(json);
        return node.isPresent() && allows(node.get()) ? node.get() : JsonNodeFactory.instance.stringNode(text);
    }

    private boolean allows(JsonNode node) {
        if (names.isEmpty()) {
            return node.isContainer();
        }
        return switch (typeOf(node)) {
            case "number" -> names.contains("integer") || names.contains("number");
            // Text in quotes would lose them.
            case "string" -> false;
            case "null" -> names.contains("null") || !names.contains("string");
            case String type -> names.contains(type);
        };
    }

    private static String typeOf(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "object";
            case ARRAY -> "array";
            case BOOLEAN -> "boolean";
            case NULL -> "null";
            case NUMBER -> "number";
            default -> "string";
        };
    }
}
