package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.UNBOUNDED;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Printable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The grammar notation of llama.cpp: rules `name ::= …` of which `root` matches the whole text; alternatives with `|`;
/// `"text"`; character classes `[a-z]`, `[^"\\]`; `.` for any character; groups; `* + ? {m} {m,} {,n} {m,n}` behind an
/// item; comments from `#` to the end of the line. Behind a backslash stand `n t r \ " [ ]`, or `x`, `u` or `U` with
/// two, four or eight hexadecimal digits.
///
/// A rule ends at the end of its line, unless in a group or before or behind `|` or `::=`.
public final class Gbnf {
    private static final int LONGEST = 1 << 20;
    private static final int MOST_RULES = 10_000;
    private static final int DEEPEST = 100;
    private static final int LARGEST_COUNT = 1_000_000;

    private final String source;
    private final String text;
    private final Map<String, Expr> rules = new LinkedHashMap<>();
    /// With the offset of the first.
    private final Map<String, Integer> references = new LinkedHashMap<>();
    private int at;
    private int depth;

    private Gbnf(String text, String source) {
        this.text = text;
        this.source = source;
    }

    /// @param source what to call the text in messages, such as the file's name
    /// @throws PanamoeException when the text is no grammar, naming line and column; or one that is too large or that
    ///     cannot be followed
    public static Grammar parse(String text, String source) {
        return new Gbnf(text, source).grammar();
    }

    private Grammar grammar() {
        if (text.length() > LONGEST) {
            throw new PanamoeException(
                    source + ": the grammar has " + text.length() + " characters, at most " + LONGEST + " are read");
        }
        for (int i = 0; i < text.length(); i++) {
            if (Character.getType(text.codePointAt(i)) == Character.SURROGATE) {
                at = i;
                throw failure("expected text, found half a surrogate pair");
            }
            i += Character.isHighSurrogate(text.charAt(i)) ? 1 : 0;
        }
        skip(true);
        while (at < text.length()) {
            rule();
        }
        references.forEach((name, place) -> {
            if (!rules.containsKey(name)) {
                throw failure(place, "expected the name of a rule, found " + name + ", which is not defined");
            }
        });
        if (!rules.containsKey("root")) {
            throw new PanamoeException(source + ": the grammar has no rule named root; it begins with that one");
        }
        return Compiler.compile(source, rules, "root");
    }

    private void rule() {
        int place = at;
        String name = name();
        if (name.isEmpty()) {
            throw expected("the name of a rule");
        }
        skip(false);
        if (!text.startsWith("::=", at)) {
            throw expected("::= behind the name of the rule");
        }
        at += 3;
        skip(true);
        Expr expr = alternatives();
        if (at < text.length() && !lineBreak()) {
            throw expected("an item, | or the end of the line");
        }
        if (rules.putIfAbsent(name, expr) != null) {
            throw failure(place, "rule " + name + " is defined twice");
        }
        if (rules.size() > MOST_RULES) {
            throw failure(place, "there are more than " + MOST_RULES + " rules");
        }
        skip(true);
    }

    private Expr alternatives() {
        List<Expr> all = new ArrayList<>();
        all.add(sequence());
        while (next('|')) {
            skip(true);
            all.add(sequence());
        }
        return Expr.choice(all);
    }

    private Expr sequence() {
        List<Expr> items = new ArrayList<>();
        while (true) {
            skip(depth > 0);
            if (depth == 0 && atLineBreakBeforeBar()) {
                skip(true);
            }
            if (at == text.length()) {
                break;
            }
            char c = text.charAt(at);
            if (c == '|' || c == ')' || c == '\n' || c == '\r') {
                break;
            }
            items.add(repeated(item()));
        }
        return items.size() == 1 ? items.getFirst() : new Expr.Sequence(List.copyOf(items));
    }

    /// Whether the next line goes on with another alternative.
    private boolean atLineBreakBeforeBar() {
        if (!lineBreak()) {
            return false;
        }
        int before = at;
        skip(true);
        boolean bar = at < text.length() && text.charAt(at) == '|';
        at = before;
        return bar;
    }

    private Expr item() {
        char c = text.charAt(at);
        return switch (c) {
            case '"' -> literal();
            case '[' -> characterClass();
            case '.' -> {
                at++;
                yield new Expr.Chars(CharSet.ALL);
            }
            case '(' -> group();
            default -> {
                int place = at;
                String name = name();
                if (name.isEmpty()) {
                    throw expected("an item: \"text\", [class], (group), . or the name of a rule");
                }
                references.putIfAbsent(name, place);
                yield new Expr.Reference(name);
            }
        };
    }

    private Expr group() {
        if (++depth > DEEPEST) {
            throw failure("groups are nested more than " + DEEPEST + " deep");
        }
        at++;
        skip(true);
        Expr inner = alternatives();
        if (!next(')')) {
            throw expected(") at the end of the group");
        }
        depth--;
        return inner;
    }

    private Expr literal() {
        at++;
        var literal = new StringBuilder();
        while (!next('"')) {
            if (at == text.length() || lineBreak()) {
                throw expected("\" at the end of the text");
            }
            int place = at;
            int c = character();
            if (isSurrogate(c)) {
                throw failure(place, "expected a character, found half a surrogate pair");
            }
            literal.appendCodePoint(c);
        }
        return new Expr.Text(literal.toString());
    }

    private Expr characterClass() {
        int place = at;
        at++;
        boolean negated = next('^');
        List<CharSet.Range> ranges = new ArrayList<>();
        while (!next(']')) {
            if (at == text.length() || lineBreak()) {
                throw expected("] at the end of the class");
            }
            int here = at;
            int first = character();
            int last = first;
            if (at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']') {
                at++;
                if (lineBreak()) {
                    throw expected("the end of the range");
                }
                last = character();
                if (last < first) {
                    throw failure(here, "expected a range upwards, found one downwards");
                }
            }
            ranges.add(new CharSet.Range(first, last));
        }
        var set = CharSet.ofRanges(ranges);
        set = negated ? set.not() : set;
        if (set.isEmpty()) {
            throw failure(place, "expected a class with characters, found an empty one");
        }
        return new Expr.Chars(set);
    }

    private Expr repeated(Expr item) {
        skip(depth > 0);
        int place = at;
        Expr repeat = repeat(item);
        if (at > place) {
            int end = at;
            skip(depth > 0);
            if (at < text.length() && "*+?{".indexOf(text.charAt(at)) >= 0) {
                throw failure(place, "two repetitions of one item; put the first into a group");
            }
            at = end;
        }
        return repeat;
    }

    private Expr repeat(Expr item) {
        if (next('*')) {
            return Expr.repeat(item, 0, UNBOUNDED);
        }
        if (next('+')) {
            return Expr.repeat(item, 1, UNBOUNDED);
        }
        if (next('?')) {
            return Expr.repeat(item, 0, 1);
        }
        int place = at;
        if (!next('{')) {
            return item;
        }
        skip(false);
        int least = at < text.length() && text.charAt(at) == ',' ? 0 : count();
        int most = least;
        skip(false);
        if (next(',')) {
            skip(false);
            most = at < text.length() && text.charAt(at) == '}' ? UNBOUNDED : count();
            skip(false);
        }
        if (!next('}')) {
            throw expected("} behind the counts");
        }
        if (most != UNBOUNDED && most < least) {
            throw failure(place, "expected counts upwards, found " + least + " and " + most);
        }
        return Expr.repeat(item, least, most);
    }

    private int count() {
        int place = at;
        long n = -1;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            n = Math.max(n, 0) * 10 + text.charAt(at++) - '0';
            if (n > LARGEST_COUNT) {
                throw failure(place, "expected a count of at most " + LARGEST_COUNT);
            }
        }
        if (n < 0) {
            throw expected("a count");
        }
        return (int) n;
    }

    private int character() {
        if (!next('\\')) {
            int c = text.codePointAt(at);
            at += Character.charCount(c);
            return c;
        }
        if (at == text.length()) {
            throw expected("an escaped character");
        }
        char c = text.charAt(at++);
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case '\\', '"', '[', ']' -> c;
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'U' -> hex(8);
            default -> {
                at--;
                throw expected("one of n t r \\ \" [ ] x u U behind the backslash");
            }
        };
    }

    private int hex(int digits) {
        int place = at;
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0 || text.charAt(at) > 'f') {
                throw expected(digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        if (value > Character.MAX_CODE_POINT) {
            throw failure(place, "expected a character up to U+10FFFF");
        }
        return (int) value;
    }

    private static boolean isSurrogate(int c) {
        return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }

    private String name() {
        int from = at;
        while (at < text.length() && isNameCharacter(text.charAt(at))) {
            at++;
        }
        return text.substring(from, at);
    }

    private static boolean isNameCharacter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }

    private boolean next(char c) {
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private boolean lineBreak() {
        return at < text.length() && (text.charAt(at) == '\n' || text.charAt(at) == '\r');
    }

    /// Goes past spaces and comments, and past line breaks if asked to.
    private void skip(boolean lines) {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                while (at < text.length() && !lineBreak()) {
                    at++;
                }
            } else if (c == ' ' || c == '\t' || (lines && lineBreak())) {
                at++;
            } else {
                return;
            }
        }
    }

    private PanamoeException expected(String what) {
        String found = at == text.length()
                ? "the end of the text"
                : lineBreak()
                        ? "the end of the line"
                        : Printable.escape(text.substring(at, text.offsetByCodePoints(at, 1)));
        return failure("expected " + what + ", found " + found);
    }

    private PanamoeException failure(String what) {
        return failure(at, what);
    }

    private PanamoeException failure(int offset, String what) {
        int line = 1;
        int begin = 0;
        for (int i = 0; i < offset; i++) {
            if (text.charAt(i) == '\n') {
                line++;
                begin = i + 1;
            }
        }
        int column = text.codePointCount(begin, offset) + 1;
        return new PanamoeException(source + ": line " + line + ", column " + column + ": " + what);
    }
}
