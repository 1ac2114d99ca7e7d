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
        sink.println(line(object));
        sink.flush();
    }

    /// An object on one line, without its end.
    static String line(ObjectNode object) {
        return MAPPER.writeValueAsString(object);
    }

    /// @param name of the text, for messages
    /// @throws PanamoeException when it is not one JSON object
    static JsonNode object(String text, String name) {
        try {
            return object(MAPPER.readTree(text), name + ": ");
        } catch (JacksonException e) {
            String line = e.getLocation() == null || e.getLocation().getLineNr() < 1
                    ? ""
                    : "line " + e.getLocation().getLineNr() + ", ";
            throw notJson(name + ": " + line, e);
        }
    }

    /// A line of a file of JSON lines.
    ///
    /// @param number of the line, from 1
    /// @throws PanamoeException when it is not one JSON object
    static JsonNode objectInLine(String text, String name, int number) {
        try {
            return object(MAPPER.readTree(text), name + ": line " + number + ": ");
        } catch (JacksonException e) {
            throw notJson(name + ": line " + number + ", ", e);
        }
    }

    private static JsonNode object(JsonNode node, String where) {
        if (!node.isObject()) {
            throw new PanamoeException(where + "expected a JSON object, found " + kind(node));
        }
        return node;
    }

    /// An object as maps, lists, strings, booleans, nulls and numbers: whole numbers of any size as integers, others as
    /// doubles.
    ///
    /// @param name of the text, for messages
    /// @throws PanamoeException when it is not one JSON object
    static Map<String, @Nullable Object> variables(String text, String name) {
        return MAPPER.convertValue(object(text, name), new TypeReference<LinkedHashMap<String, @Nullable Object>>() {});
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

    /// @param where up to the column
    private static PanamoeException notJson(String where, JacksonException e) {
        String column = e.getLocation() == null || e.getLocation().getColumnNr() < 1
                ? ""
                : "column " + e.getLocation().getColumnNr() + ": ";
        // Where something unclosed began is told in Jackson's own terms.
        String problem = e.getOriginalMessage().split(" \\(start marker at", 2)[0];
        return new PanamoeException(where + column + "expected a JSON object: " + problem, e);
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
