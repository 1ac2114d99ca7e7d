package dev.panamoe.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/// Splits a template into tokens as Jinja2 does with `trim_blocks` and `lstrip_blocks` on and
/// `keep_trailing_newline` off: the first newline after a statement or comment goes, white space from the start of a
/// line to a statement or comment goes, `-` takes all white space on its side and `+` keeps it.
final class Lexer {
    private static final char NO_SIGN = 0;
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*+endraw\\s*+([-+]?)%\\}");
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private boolean lineStarting = true;

    private Lexer(String source) {
        String s = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = s.endsWith("\n") ? s.substring(0, s.length() - 1) : s;
    }

    static List<Token> tokens(String source) {
        Budget.text(source.length());
        var lexer = new Lexer(source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int open = nextOpening(at);
            if (open < 0) {
                data(source.substring(at));
                break;
            }
            char kind = source.charAt(open + 1);
            char sign = charAt(open + 2);
            boolean signed = sign == '-' || (sign == '+' && kind != '{');
            data(trimBefore(source.substring(at, open), signed ? sign : NO_SIGN, kind));
            int inside = open + (signed ? 3 : 2);
            switch (kind) {
                case '#' -> comment(inside);
                case '%' -> {
                    if (!raw(inside)) {
                        tag(Token.Type.BLOCK_BEGIN, inside, "%}", Token.Type.BLOCK_END);
                    }
                }
                default -> tag(Token.Type.OUTPUT_BEGIN, inside, "}}", Token.Type.OUTPUT_END);
            }
        }
        add(new Token(Token.Type.END, "end of template", line));
    }

    private char charAt(int i) {
        return i < source.length() ? source.charAt(i) : NO_SIGN;
    }

    private void add(Token token) {
        Budget.elements(1);
        tokens.add(token);
    }

    private int nextOpening(int from) {
        for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
            char c = charAt(i + 1);
            if (c == '{' || c == '%' || c == '#') {
                return i;
            }
        }
        return -1;
    }

    private String trimBefore(String text, char sign, char kind) {
        if (sign == '-') {
            return Text.strip(text, null, false, true);
        }
        if (sign == '+' || kind == '{') {
            return text;
        }
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean fromLineStart = lineStart > 0 || lineStarting;
        return fromLineStart && Text.isBlank(text.substring(lineStart)) ? text.substring(0, lineStart) : text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            add(new Token(Token.Type.DATA, text, line));
        }
        // What was trimmed from it has no newline that counts: messages name a line, nothing depends on it.
        countLines(text, 0, text.length());
    }

    private void comment(int inside) {
        int end = source.indexOf("#}", inside);
        if (end < 0) {
            throw error("Missing end of comment tag");
        }
        countLines(source, inside, end);
        char sign = end > inside ? source.charAt(end - 1) : NO_SIGN;
        at = end;
        close("#}", sign, true);
    }

    /// Steps over the closing delimiter at `at` and the white space it takes.
    private void close(String delimiter, char sign, boolean trimNewline) {
        at += delimiter.length();
        int start = at;
        if (sign == '-') {
            at = skipSpace(at);
        } else if (trimNewline && sign != '+' && charAt(at) == '\n') {
            at++;
        }
        countLines(source, start, at);
        lineStarting = at > start && source.charAt(at - 1) == '\n';
    }

    /// `{% raw %}…{% endraw %}`, if that is what begins here.
    private boolean raw(int inside) {
        int p = skipSpace(inside);
        if (!source.startsWith("raw", p)) {
            return false;
        }
        p = skipSpace(p + 3);
        char sign = charAt(p);
        p += sign == '-' || sign == '+' ? 1 : 0;
        if (!source.startsWith("%}", p)) {
            return false;
        }
        at = p;
        close("%}", sign, true);
        var end = END_RAW.matcher(source);
        if (!end.find(at)) {
            throw error("Missing end of raw directive");
        }
        data(trimBefore(source.substring(at, end.start()), sign(end.group(1)), '%'));
        at = end.end() - 2;
        close("%}", sign(end.group(2)), true);
        return true;
    }

    private static char sign(String s) {
        return s.isEmpty() ? NO_SIGN : s.charAt(0);
    }

    private void tag(Token.Type begin, int inside, String end, Token.Type endType) {
        add(new Token(begin, "", line));
        at = inside;
        var brackets = new ArrayDeque<Character>();
        while (!ended(end, endType, brackets)) {
            char c = source.charAt(at);
            if (Character.isUnicodeIdentifierStart(c) || c == '_') {
                name();
            } else if (c >= '0' && c <= '9') {
                var literal = NumberLiteral.read(source, at);
                add(new Token(Token.Type.NUMBER, source.substring(at, literal.end()), literal.value(), line));
                at = literal.end();
            } else if (c == '"' || c == '\'') {
                var literal = StringLiteral.read(source, at, this::error);
                add(new Token(Token.Type.STRING, source.substring(at, literal.end()), literal.value(), line));
                countLines(source, at, literal.end());
                at = literal.end();
            } else {
                operator(brackets);
            }
        }
    }

    private boolean ended(String end, Token.Type endType, Deque<Character> brackets) {
        int p = skipSpace(at);
        countLines(source, at, p);
        at = p;
        if (at >= source.length()) {
            throw error("unexpected end of template");
        }
        if (!brackets.isEmpty()) {
            return false;
        }
        char c = source.charAt(at);
        boolean signed = (c == '-' || (c == '+' && endType == Token.Type.BLOCK_END)) && source.startsWith(end, at + 1);
        if (!signed && !source.startsWith(end, at)) {
            return false;
        }
        add(new Token(endType, end, line));
        at += signed ? 1 : 0;
        close(end, signed ? c : NO_SIGN, endType == Token.Type.BLOCK_END);
        return true;
    }

    private void name() {
        int p = at;
        while (p < source.length() && Character.isUnicodeIdentifierPart(source.charAt(p))) {
            p++;
        }
        add(new Token(Token.Type.NAME, source.substring(at, p), line));
        at = p;
    }

    private void operator(Deque<Character> brackets) {
        for (String op : OPERATORS) {
            if (source.startsWith(op, at)) {
                switch (op) {
                    case "(" -> brackets.push(')');
                    case "[" -> brackets.push(']');
                    case "{" -> brackets.push('}');
                    case ")", "]", "}" -> {
                        if (brackets.isEmpty() || brackets.pop() != op.charAt(0)) {
                            throw error("unexpected '" + op + "'");
                        }
                    }
                    default -> {}
                }
                add(new Token(Token.Type.OPERATOR, op, line));
                at += op.length();
                return;
            }
        }
        throw error("unexpected char " + Repr.of(Character.toString(source.codePointAt(at))));
    }

    private int skipSpace(int from) {
        int p = from;
        while (p < source.length() && Text.isSpace(source.charAt(p))) {
            p++;
        }
        return p;
    }

    private void countLines(String s, int from, int to) {
        for (int i = from; i < to; i++) {
            if (s.charAt(i) == '\n') {
                line++;
            }
        }
    }

    private TemplateException error(String message) {
        return new TemplateException("TemplateSyntaxError", message + " (line " + line + ")");
    }
}
