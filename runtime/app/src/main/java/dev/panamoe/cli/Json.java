package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
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
            Map<String, @Nullable Object> object = MAPPER.readValue(text, new TypeReference<
                    LinkedHashMap<String, @Nullable Object>>() {});
            if (object == null) {
                throw new PanamoeException(name + ": this is null, expected a JSON object");
            }
            return object;
        } catch (JacksonException e) {
            throw notJson(name, e);
        }
    }

    private static PanamoeException notJson(String name, JacksonException e) {
        String where = e.getLocation() == null || e.getLocation().getLineNr() < 1
                ? ""
                : "line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr() + ": ";
        return new PanamoeException(name + ": " + where + "expected a JSON object: " + e.getOriginalMessage(), e);
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
