package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.UNBOUNDED;
import static dev.panamoe.grammar.Expr.repeat;

import java.util.ArrayList;
import java.util.List;

/// Regular expressions of ECMA 262 that are regular, as texts inside a JSON string: characters, classes, groups,
/// alternatives, repetitions, and `^` and `$` where an alternative of the whole begins and ends. A match may stand
/// anywhere in the string unless these say otherwise. Characters that JSON escapes have one spelling.
final class StringPattern {
    /// What cannot be enforced, in words that fit behind the name of the keyword.
    static final class Unsupported extends Exception {
        private static final long serialVersionUID = 1L;

        Unsupported(String what) {
            super(what);
        }
    }

    private static final int DEEPEST = 100;
    private static final int LARGEST_COUNT = 10_000;
    private static final CharSet DIGIT = CharSet.range('0', '9');
    private static final CharSet WORD =
            DIGIT.or(CharSet.range('a', 'z')).or(CharSet.range('A', 'Z')).or(CharSet.of("_"));
    /// What all engines count as white space, and what any does.
    private static final CharSet SPACE = CharSet.of(" \t\n\013\f\r");

    private static final CharSet ANY_SPACE = SPACE.or(CharSet.of("\u00A0\u1680\u202F\u205F\u3000\uFEFF\u0085"))
            .or(CharSet.range(0x2000, 0x200A))
            .or(CharSet.range(0x2028, 0x2029));
    private static final CharSet LINE_BREAK = CharSet.of("\n\r\u0085").or(CharSet.range(0x2028, 0x2029));

    private final String pattern;
    private int at;
    private int depth;

    private StringPattern(String pattern) {
        this.pattern = pattern;
    }

    /// The inside of a JSON string.
    static Expr parse(String pattern) throws Unsupported {
        var parser = new StringPattern(pattern);
        List<Expr> all = new ArrayList<>();
        do {
            List<Expr> parts = new ArrayList<>();
            if (!parser.next('^')) {
                parts.add(repeat(JsonText.CHARACTER, 0, UNBOUNDED));
            }
            parts.add(parser.sequence());
            if (!parser.next('$')) {
                parts.add(repeat(JsonText.CHARACTER, 0, UNBOUNDED));
            }
            all.add(new Expr.Sequence(List.copyOf(parts)));
        } while (parser.next('|'));
        if (parser.at < pattern.length()) {
            throw parser.unsupported(
                    pattern.charAt(parser.at) == ')' ? "a ) without (" : "an anchor inside the expression");
        }
        return Expr.choice(all);
    }

    private Unsupported unsupported(String what) {
        return new Unsupported("has " + what + " at character " + (at + 1) + ", which is not supported");
    }

    private Expr alternatives() throws Unsupported {
        List<Expr> all = new ArrayList<>();
        do {
            all.add(sequence());
        } while (next('|'));
        return Expr.choice(all);
    }

    private Expr sequence() throws Unsupported {
        List<Expr> items = new ArrayList<>();
        while (at < pattern.length() && "|)$".indexOf(pattern.charAt(at)) < 0) {
            items.add(repeated(item()));
        }
        return new Expr.Sequence(List.copyOf(items));
    }

    private Expr item() throws Unsupported {
        int c = pattern.codePointAt(at);
        return switch (c) {
            case '(' -> group();
            case '[' -> characterClass();
            case '^' -> throw unsupported("an anchor inside the expression");
            case '*', '+', '?', '{', '}', ']' -> throw unsupported("a misplaced " + (char) c);
            default -> {
                at += Character.charCount(c);
                yield character(c == '.' ? LINE_BREAK.not() : c == '\\' ? escape(false) : CharSet.range(c, c));
            }
        };
    }

    private Expr character(CharSet set) throws Unsupported {
        if (set.isEmpty()) {
            throw unsupported("a class without characters");
        }
        return JsonText.character(set);
    }

    private Expr group() throws Unsupported {
        if (++depth > DEEPEST) {
            throw unsupported("a group nested more than " + DEEPEST + " deep");
        }
        at++;
        if (next('?') && !next(':')) {
            throw unsupported("a look-around or a named group");
        }
        Expr inner = alternatives();
        if (!next(')')) {
            throw unsupported(at < pattern.length() ? "an anchor inside the expression" : "a group that does not end");
        }
        depth--;
        return inner;
    }

    private Expr characterClass() throws Unsupported {
        at++;
        boolean negated = next('^');
        CharSet set = new CharSet(List.of());
        while (!next(']')) {
            CharSet first = member(negated);
            boolean range = at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']';
            if (range) {
                at++;
                CharSet last = member(negated);
                if (!isOne(first) || !isOne(last) || one(last) < one(first)) {
                    throw unsupported("a range that is none");
                }
                first = CharSet.range(one(first), one(last));
            }
            set = set.or(first);
        }
        return character(negated ? set.not() : set);
    }

    private static boolean isOne(CharSet set) {
        return set.ranges().size() == 1
                && set.ranges().getFirst().first() == set.ranges().getFirst().last();
    }

    private static int one(CharSet set) {
        return set.ranges().getFirst().first();
    }

    private CharSet member(boolean negated) throws Unsupported {
        if (at == pattern.length()) {
            throw unsupported("a class that does not end");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return c == '\\' ? escape(negated) : CharSet.range(c, c);
    }

    /// @param negated whether what it stands for is taken away: then it is what any engine means by it
    private CharSet escape(boolean negated) throws Unsupported {
        if (at == pattern.length()) {
            throw unsupported("a backslash");
        }
        char c = pattern.charAt(at++);
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> DIGIT.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> negated ? ANY_SPACE : SPACE;
            case 'S' -> (negated ? SPACE : ANY_SPACE).not();
            case 'n' -> CharSet.of("\n");
            case 'r' -> CharSet.of("\r");
            case 't' -> CharSet.of("\t");
            case 'f' -> CharSet.of("\f");
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            default -> {
                if (c > 0x7E || Character.isLetterOrDigit(c)) {
                    at--;
                    throw unsupported("the escape \\" + c);
                }
                yield CharSet.range(c, c);
            }
        };
    }

    private CharSet hex(int digits) throws Unsupported {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit =
                    at < pattern.length() && pattern.charAt(at) <= 'f' ? Character.digit(pattern.charAt(at), 16) : -1;
            if (digit < 0) {
                throw unsupported("an incomplete escape");
            }
            value = value * 16 + digit;
            at++;
        }
        return CharSet.range(value, value);
    }

    private Expr repeated(Expr item) throws Unsupported {
        Expr result = item;
        int from = at;
        if (next('*')) {
            result = repeat(item, 0, UNBOUNDED);
        } else if (next('+')) {
            result = repeat(item, 1, UNBOUNDED);
        } else if (next('?')) {
            result = repeat(item, 0, 1);
        } else if (next('{')) {
            int least = count();
            int most = next(',') ? at < pattern.length() && pattern.charAt(at) == '}' ? UNBOUNDED : count() : least;
            if (!next('}') || (most != UNBOUNDED && most < least)) {
                throw unsupported("a repetition that is none");
            }
            result = repeat(item, least, most);
        }
        if (at > from) {
            next('?'); // lazy: the same texts match
        }
        return result;
    }

    private int count() throws Unsupported {
        int from = at;
        int n = 0;
        while (at < pattern.length() && DIGIT.contains(pattern.charAt(at))) {
            n = n * 10 + pattern.charAt(at++) - '0';
            if (n > LARGEST_COUNT) {
                throw unsupported("a count above " + LARGEST_COUNT);
            }
        }
        if (at == from) {
            throw unsupported("a repetition that is none");
        }
        return n;
    }

    private boolean next(char c) {
        if (at < pattern.length() && pattern.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }
}
