package dev.panamoe.template;

/// A piece of a template.
///
/// @param text literal text, a name or an operator
/// @param value of a string or number literal; otherwise [None]
/// @param line where it begins, from 1
record Token(Type type, String text, Object value, int line) {
    enum Type {
        DATA,
        OUTPUT_BEGIN,
        OUTPUT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        NUMBER,
        OPERATOR,
        END
    }

    Token(Type type, String text, int line) {
        this(type, text, None.NONE, line);
    }

    /// Whether it is this operator or word.
    boolean is(String s) {
        return (type == Type.OPERATOR || type == Type.NAME) && text.equals(s);
    }
}
