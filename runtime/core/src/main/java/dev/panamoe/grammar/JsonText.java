package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.UNBOUNDED;
import static dev.panamoe.grammar.Expr.chars;
import static dev.panamoe.grammar.Expr.choice;
import static dev.panamoe.grammar.Expr.optional;
import static dev.panamoe.grammar.Expr.reference;
import static dev.panamoe.grammar.Expr.repeat;
import static dev.panamoe.grammar.Expr.sequence;
import static dev.panamoe.grammar.Expr.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// JSON as RFC 8259 defines it, with bounds where a model could otherwise go on for ever without saying anything:
/// between two parts at most one space or one line break with its indentation, and numbers of at most 18 digits before
/// and behind the point with exponents of two. Escapes for surrogates come in pairs only.
final class JsonText {
    static final int MOST_DIGITS = 18;

    /// Characters that stand for themselves in a string.
    static final CharSet PLAIN = CharSet.range(0, 0x1F).or(CharSet.of("\"\\")).not();

    private static final Expr HEX =
            new Expr.Chars(CharSet.range('0', '9').or(CharSet.range('a', 'f')).or(CharSet.range('A', 'F')));
    static final Expr DIGIT = new Expr.Chars(CharSet.range('0', '9'));

    /// One character of a string, in any spelling.
    static final Expr CHARACTER = choice(
            new Expr.Chars(PLAIN),
            sequence(
                    text("\\"),
                    choice(
                            chars("\"\\/bfnrt"),
                            sequence(
                                    text("u"),
                                    choice(
                                            sequence(chars("0123456789abcefABCEF"), HEX, HEX, HEX),
                                            sequence(chars("dD"), chars("01234567"), HEX, HEX),
                                            sequence(
                                                    chars("dD"),
                                                    chars("89abAB"),
                                                    HEX,
                                                    HEX,
                                                    text("\\u"),
                                                    chars("dD"),
                                                    chars("cdefCDEF"),
                                                    HEX,
                                                    HEX))))));

    static final Expr SPACE = reference("space");
    static final Expr STRING = reference("string");
    static final Expr VALUE = reference("value");
    static final Expr OBJECT = reference("object");
    static final Expr ARRAY = reference("array");
    static final Expr DIGITS = repeat(DIGIT, 0, MOST_DIGITS - 1);
    static final Expr WHOLE = choice(text("0"), sequence(new Expr.Chars(CharSet.range('1', '9')), DIGITS));
    static final Expr INTEGER = sequence(optional(text("-")), WHOLE);
    static final Expr FRACTION = sequence(text("."), repeat(DIGIT, 1, MOST_DIGITS));
    static final Expr NUMBER = sequence(
            INTEGER, optional(FRACTION), optional(sequence(chars("eE"), optional(chars("+-")), repeat(DIGIT, 1, 2))));
    static final Expr BOOLEAN = choice(text("true"), text("false"));
    static final Expr NULL = text("null");

    /// Characters that are repeated in one piece, see {@link #string}.
    private static final int PIECE = 16;

    private JsonText() {}

    /// The rules that are referred to by the expressions here.
    static Map<String, Expr> rules() {
        Map<String, Expr> rules = new HashMap<>();
        rules.put(
                "space",
                choice(
                        optional(text(" ")),
                        sequence(text("\n"), choice(repeat(text(" "), 0, 32), repeat(text("\t"), 1, 16)))));
        rules.put("string", sequence(text("\""), repeat(CHARACTER, 0, UNBOUNDED), text("\"")));
        rules.put("value", choice(OBJECT, ARRAY, STRING, NUMBER, BOOLEAN, NULL));
        Expr field = field(STRING, VALUE);
        rules.put("object", object(optional(sequence(field, repeat(next(field), 0, UNBOUNDED), SPACE))));
        rules.put("array", array(list(VALUE, 0, UNBOUNDED)));
        rules.put("piece", repeat(CHARACTER, PIECE, PIECE));
        rules.put("rest", repeat(CHARACTER, 0, PIECE - 1));
        return rules;
    }

    static Expr field(Expr name, Expr value) {
        return sequence(name, text(":"), SPACE, value);
    }

    /// An element that is not the first.
    static Expr next(Expr element) {
        return sequence(text(","), SPACE, element);
    }

    /// @param fields with the space behind them
    static Expr object(Expr fields) {
        return sequence(text("{"), SPACE, fields, text("}"));
    }

    /// @param elements with the space behind them
    static Expr array(Expr elements) {
        return sequence(text("["), SPACE, elements, text("]"));
    }

    /// Elements with the space behind them.
    ///
    /// @param most {@link Expr#UNBOUNDED} or at least `least`
    static Expr list(Expr element, int least, int most) {
        if (most == 0) {
            return Expr.EMPTY;
        }
        Expr elements = sequence(
                element,
                repeat(next(element), Math.max(0, least - 1), most == UNBOUNDED ? UNBOUNDED : most - 1),
                SPACE);
        return least == 0 ? optional(elements) : elements;
    }

    /// A string of some length. Long ones are put together from pieces of one rule, so that the tokens that may follow
    /// need not be computed anew at each character.
    ///
    /// @param most {@link Expr#UNBOUNDED} or at least `least`
    static Expr string(int least, int most) {
        List<Expr> parts = new ArrayList<>();
        parts.add(text("\""));
        parts.add(repeat(reference("piece"), least / PIECE, least / PIECE));
        parts.add(repeat(CHARACTER, least % PIECE, least % PIECE));
        if (most == UNBOUNDED) {
            parts.add(repeat(CHARACTER, 0, UNBOUNDED));
        } else {
            int pieces = (most - least) / PIECE;
            Expr last = repeat(CHARACTER, 0, (most - least) % PIECE);
            parts.add(
                    pieces == 0
                            ? last
                            : choice(
                                    sequence(repeat(reference("piece"), 0, pieces - 1), reference("rest")),
                                    sequence(repeat(reference("piece"), pieces, pieces), last)));
        }
        parts.add(text("\""));
        return new Expr.Sequence(List.copyOf(parts));
    }

    /// One character of a set in a string, in one spelling each.
    static Expr character(CharSet set) {
        List<Expr> spellings = new ArrayList<>();
        CharSet plain = set.minus(PLAIN.not());
        if (!plain.isEmpty()) {
            spellings.add(new Expr.Chars(plain));
        }
        for (CharSet.Range range : set.minus(PLAIN).ranges()) {
            for (int c = range.first(); c <= range.last(); c++) {
                spellings.add(text(escape((char) c)));
            }
        }
        return choice(spellings);
    }

    private static String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> String.format("\\u%04x", (int) c);
        };
    }
}
