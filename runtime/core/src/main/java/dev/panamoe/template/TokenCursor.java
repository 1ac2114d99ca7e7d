package dev.panamoe.template;

import java.util.List;

/// Walks over the tokens; both parsers share one.
final class TokenCursor {
    /// Nesting of expressions and statements in the source.
    private static final int MAX_NESTING = 200;

    private final List<Token> tokens;
    private int at;
    private int nesting;

    /// @param tokens the last is [Token.Type#END]
    TokenCursor(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token second() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    boolean isAt(Token.Type type) {
        return peek().type() == type;
    }

    boolean isAt(String s) {
        return peek().is(s);
    }

    /// The current token; at the end it stays there.
    Token next() {
        var token = peek();
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean skip(String s) {
        if (!isAt(s)) {
            return false;
        }
        next();
        return true;
    }

    void expect(String s) {
        if (!skip(s)) {
            throw error("expected '" + s + "', got '" + peek().text() + "'");
        }
    }

    void expect(Token.Type type) {
        if (!isAt(type)) {
            throw error("unexpected '" + peek().text() + "'");
        }
        next();
    }

    String name() {
        if (!isAt(Token.Type.NAME)) {
            throw error("expected a name, got '" + peek().text() + "'");
        }
        return next().text();
    }

    void enter() {
        if (++nesting > MAX_NESTING) {
            throw TemplateException.limit("it is nested deeper than " + MAX_NESTING + " levels");
        }
    }

    void leave() {
        nesting--;
    }

    TemplateException error(String message) {
        return new TemplateException("TemplateSyntaxError", message + " (line " + peek().line() + ")");
    }
}
