package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// JSON in and out. Objects keep the order of their keys.
final class Json {
    private static final JsonMapper MAPPER = new JsonMapper();

    private Json() {}

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /// One object on one line: a program can read line by line, and jq makes it pretty.
    static void print(Sink sink, ObjectNode object) {
        sink.println(MAPPER.writeValueAsString(object));
        sink.flush();
    }

    /// An object as maps, lists, strings, booleans, nulls and numbers: whole numbers of any size as integers, others as
    /// doubles.
    ///
    /// @param name of the text, for messages
    /// @throws PanamoeException when it is not one JSON object
    static Map<String, @Nullable Object> variables(String text, String name) {
        try {
            JsonNode node = MAPPER.readTree(text);
            if (!node.isObject()) {
                throw new PanamoeException(name + ": expected a JSON object, found " + kind(node));
            }
            return MAPPER.convertValue(node, new TypeReference<LinkedHashMap<String, @Nullable Object>>() {});
        } catch (JacksonException e) {
            throw notJson(name, e);
        }
    }

    private static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "an array";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case NULL -> "null";
            default -> "nothing";
        };
    }

    private static PanamoeException notJson(String name, JacksonException e) {
        String where = e.getLocation() == null || e.getLocation().getLineNr() < 1
                ? ""
                : "line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ": ";
        // Where something unclosed began is told in Jackson's own terms.
        String problem = e.getOriginalMessage().split(" \\(start marker at", 2)[0];
        return new PanamoeException(name + ": " + where + "expected a JSON object: " + problem, e);
    }

    /// Milliseconds with three digits behind the point.
    static double millis(long nanos) {
        return Math.round(nanos / 1e3) / 1e3;
    }

    /// Three digits behind the point.
    static double rounded(double value) {
        return Math.round(value * 1e3) / 1e3;
    }
}
