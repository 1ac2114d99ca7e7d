package dev.panamoe.chat;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads Gemma 4's `call:NAME{key:value,…}`. Strings stand between two tokens `<|"|>` and have no escapes; keys stand
/// bare; everything else is as in JSON. Strings in JSON's own quotes and keys in either kind of quotes are understood,
/// and a bare word is a string.
///
/// One object reads one call, from left to right.
final class GemmaCalls {
    private static final int DEEPEST = 100;
    private static final String CALL = "call:";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final Block block;
    private final int quote;
    private final int end;
    private int at;
    private int depth;

    private GemmaCalls(Block block, int close, int quote) {
        this.block = block;
        this.quote = quote;
        at = block.bodyStart();
        end = block.bodyEnd(close);
    }

    /// @param quote the token around strings
    static CallSyntax.Reader reader(int quote) {
        return (block, close, tools) -> {
            try {
                return List.of(new GemmaCalls(block, close, quote).call());
            } catch (Unreadable e) {
                return List.of();
            }
        };
    }

    /// Not written as a call.
    private static final class Unreadable extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unreadable() {
            super(null, null, false, false);
        }
    }

    private Call call() {
        int brace = at;
        while (brace < end && block.charAt(brace) != '{') {
            brace++;
        }
        String name = block.substring(at, brace).strip();
        if (name.startsWith(CALL)) {
            name = name.substring(CALL.length()).strip();
        }
        if (name.isEmpty() || brace == end) {
            throw new Unreadable();
        }
        at = brace;
        ObjectNode arguments = object();
        skipSpace();
        if (at < end) {
            throw new Unreadable();
        }
        return new Call(name, arguments);
    }

    private JsonNode value() {
        skipSpace();
        if (atQuote()) {
            return NODES.stringNode(quoted());
        }
        return switch (peek()) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> NODES.stringNode(jsonString());
            default -> bare();
        };
    }

    private ObjectNode object() {
        enter();
        ObjectNode object = NODES.objectNode();
        boolean first = true;
        while (!closes('}', first)) {
            first = false;
            String key = key();
            expect(':');
            object.set(key, value());
        }
        depth--;
        return object;
    }

    private ArrayNode array() {
        enter();
        ArrayNode array = NODES.arrayNode();
        boolean first = true;
        while (!closes(']', first)) {
            first = false;
            array.add(value());
        }
        depth--;
        return array;
    }

    private void enter() {
        at++;
        if (++depth > DEEPEST) {
            throw new Unreadable();
        }
    }

    /// Passes the bracket that ends a list, or the comma between two items of it.
    private boolean closes(char bracket, boolean first) {
        skipSpace();
        if (peek() == bracket) {
            at++;
            return true;
        }
        if (!first) {
            expect(',');
        }
        return false;
    }

    private String key() {
        skipSpace();
        if (atQuote()) {
            return quoted();
        }
        if (peek() == '"') {
            return jsonString();
        }
        String key = until(":,{}[]");
        if (key.isEmpty()) {
            throw new Unreadable();
        }
        return key;
    }

    private JsonNode bare() {
        String word = until(",{}[]");
        if (word.isEmpty()) {
            throw new Unreadable();
        }
        Optional<JsonNode> json = CallJson.parse(word.toLowerCase(Locale.ROOT));
        if (json.isPresent() && json.get().isValueNode()) {
            return json.get();
        }
        return word.equals("None") ? NODES.nullNode() : NODES.stringNode(word);
    }

    private String until(String stops) {
        int from = at;
        while (at < end && stops.indexOf(block.charAt(at)) < 0 && !atQuote()) {
            at++;
        }
        return block.substring(from, at).strip();
    }

    private boolean atQuote() {
        int mark = block.markFrom(at);
        return mark < block.marks() && block.start(mark) == at && block.token(mark) == quote;
    }

    private String quoted() {
        int open = block.markFrom(at);
        int close = open + 1;
        if (close >= block.marks() || block.token(close) != quote) {
            throw new Unreadable();
        }
        at = block.end(close);
        return block.substring(block.end(open), block.start(close));
    }

    private String jsonString() {
        int from = at++;
        while (peek() != '"') {
            at += peek() == '\\' ? 2 : 1;
        }
        at++;
        JsonNode string = CallJson.parse(block.substring(from, at)).orElseThrow(Unreadable::new);
        return string.asString();
    }

    private void expect(char c) {
        skipSpace();
        if (peek() != c) {
            throw new Unreadable();
        }
        at++;
    }

    private char peek() {
        if (at >= end) {
            throw new Unreadable();
        }
        return block.charAt(at);
    }

    private void skipSpace() {
        while (at < end && Character.isWhitespace(block.charAt(at))) {
            at++;
        }
    }
}
