package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// JSON of calls. Models write line breaks into strings as they are, and that is understood; numbers keep their digits.
/// Jackson bounds depth and the length of numbers. An exponent beyond what BigDecimal holds leaves Jackson as
/// NumberFormatException, which is none of Jackson's own.
final class CallJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private CallJson() {}

    /// The value that a text is, if it is one.
    static Optional<JsonNode> parse(String text) {
        try {
            JsonNode node = MAPPER.readTree(text);
            return node.isMissingNode() ? Optional.empty() : Optional.of(node);
        } catch (JacksonException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    static Optional<ObjectNode> object(String text) {
        return parse(text).filter(ObjectNode.class::isInstance).map(ObjectNode.class::cast);
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /// @param source for messages
    /// @throws PanamoeException when the text is not one JSON value
    static JsonNode read(String text, String source) {
        try {
            JsonNode node = MAPPER.readTree(text);
            if (!node.isMissingNode()) {
                return node;
            }
        } catch (JacksonException e) {
            var location = e.getLocation();
            String where = location == null || location.getLineNr() < 1
                    ? ""
                    : "line " + location.getLineNr() + ", column " + location.getColumnNr() + ": ";
            // Where something unclosed began is told in Jackson's own terms.
            String problem = e.getOriginalMessage().split(" \\(start marker at", 2)[0];
            throw new PanamoeException(source + ": " + where + "expected JSON: " + problem, e);
        } catch (NumberFormatException e) {
            throw new PanamoeException(source + ": expected JSON, found a number whose exponent is too large", e);
        }
        throw new PanamoeException(source + ": expected JSON, found nothing");
    }

    static String write(JsonNode node) {
        return MAPPER.writeValueAsString(node);
    }

    /// A text in quotation marks on one line, for messages.
    static String quote(String text) {
        return MAPPER.writeValueAsString(text);
    }

    /// As templates take it: maps, lists, strings, numbers, booleans, null.
    static Object variables(JsonNode node) {
        return MAPPER.convertValue(node, Object.class);
    }

    static Map<String, Object> variables(ObjectNode node) {
        return MAPPER.convertValue(node, new TypeReference<>() {});
    }

    /// The calls that a text is: an object with a name and arguments, or an array of such; none when it is anything
    /// else.
    static List<Call> calls(String text) {
        return parse(text).map(CallJson::calls).orElse(List.of());
    }

    private static List<Call> calls(JsonNode node) {
        List<Call> calls = new ArrayList<>();
        for (JsonNode item : node.isArray() ? node : List.of(node)) {
            Optional<Call> call = call(item);
            if (call.isEmpty()) {
                return List.of();
            }
            calls.add(call.get());
        }
        return calls;
    }

    private static Optional<Call> call(JsonNode node) {
        JsonNode name = node.path("name");
        if (!name.isString() || name.asString().isBlank()) {
            return Optional.empty();
        }
        JsonNode given = node.has("arguments") ? node.path("arguments") : node.path("parameters");
        return arguments(given).map(arguments -> new Call(name.asString(), arguments));
    }

    /// Nothing at all means no arguments; some models write the object as text.
    private static Optional<ObjectNode> arguments(JsonNode given) {
        if (given.isMissingNode() || given.isNull()) {
            return Optional.of(object());
        }
        if (given.isString()) {
            return argumentsText(given.asString());
        }
        return given instanceof ObjectNode object ? Optional.of(object) : Optional.empty();
    }

    /// Arguments that stand alone: a JSON object, or nothing.
    static Optional<ObjectNode> argumentsText(String text) {
        return text.isBlank() ? Optional.of(object()) : object(text);
    }
}
