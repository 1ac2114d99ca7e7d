package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.choice;
import static dev.panamoe.grammar.Expr.optional;
import static dev.panamoe.grammar.Expr.repeat;
import static dev.panamoe.grammar.Expr.sequence;
import static dev.panamoe.grammar.Expr.text;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Numbers between two bounds, digit by digit. No leading zeros, no exponents, -0 only as 0.
final class DecimalRange {
    /// The largest whole number that is written.
    static final BigInteger LARGEST = BigInteger.TEN.pow(JsonText.MOST_DIGITS).subtract(BigInteger.ONE);

    private static final Expr ANY_DIGITS = repeat(JsonText.DIGIT, 0, JsonText.MOST_DIGITS - 1);
    private static final Expr ZEROS = repeat(text("0"), 0, JsonText.MOST_DIGITS - 1);
    private static final Expr POINT_ZEROS = optional(sequence(text("."), repeat(text("0"), 1, JsonText.MOST_DIGITS)));

    private DecimalRange() {}

    /// Whole numbers from `low` to `high`; neither beyond {@link #LARGEST}, and `low` not above `high`.
    static Expr integers(BigInteger low, BigInteger high) {
        List<Expr> parts = new ArrayList<>();
        if (low.signum() < 0) {
            BigInteger most = high.signum() < 0 ? high : BigInteger.ONE.negate();
            parts.add(sequence(text("-"), whole(most.negate(), low.negate())));
        }
        if (high.signum() >= 0) {
            parts.add(whole(low.max(BigInteger.ZERO), high));
        }
        return choice(parts);
    }

    /// Numbers from `low` to `high`, with or without these themselves.
    ///
    /// @param lowAllowed whether `low` itself is one of them
    /// @return null if there are none
    static @Nullable Expr numbers(BigDecimal low, boolean lowAllowed, BigDecimal high, boolean highAllowed) {
        List<Expr> parts = new ArrayList<>();
        if (high.signum() > 0 || (high.signum() == 0 && highAllowed)) {
            boolean positive = low.signum() >= 0;
            add(parts, "", positive ? low : BigDecimal.ZERO, !positive || lowAllowed, high, highAllowed);
        }
        if (low.signum() < 0) {
            boolean negative = high.signum() <= 0;
            // Zero is written without a sign.
            BigDecimal from = negative ? high.negate() : BigDecimal.ZERO;
            add(parts, "-", from, negative && from.signum() > 0 && highAllowed, low.negate(), lowAllowed);
        }
        return parts.isEmpty() ? null : choice(parts);
    }

    /// No bound is negative.
    private static void add(
            List<Expr> parts, String sign, BigDecimal low, boolean lowAllowed, BigDecimal high, boolean highAllowed) {
        BigInteger first = low.toBigInteger();
        BigInteger last = high.toBigInteger();
        String least = behindPoint(low);
        String most = behindPoint(high);
        int order = low.compareTo(high);
        if (order > 0) {
            return;
        }
        if (order == 0) {
            if (lowAllowed && highAllowed) {
                parts.add(sequence(
                        text(sign + first), least.isEmpty() ? POINT_ZEROS : sequence(text("." + least), ZEROS)));
            }
            return;
        }
        if (first.equals(last)) {
            Expr digits = digitsBetween(least, lowAllowed, most, highAllowed);
            Expr fraction = sequence(text("."), digits);
            parts.add(sequence(text(sign + first), least.isEmpty() && lowAllowed ? optional(fraction) : fraction));
            return;
        }
        Expr above = sequence(text("."), least.isEmpty() ? moreDigits(lowAllowed) : digitsFrom(least, lowAllowed));
        parts.add(sequence(text(sign + first), least.isEmpty() && lowAllowed ? optional(JsonText.FRACTION) : above));
        BigInteger next = first.add(BigInteger.ONE);
        if (next.compareTo(last) < 0) {
            parts.add(sequence(text(sign), whole(next, last.subtract(BigInteger.ONE)), optional(JsonText.FRACTION)));
        }
        if (!most.isEmpty()) {
            parts.add(sequence(text(sign + last), optional(sequence(text("."), digitsTo(most, highAllowed)))));
        } else if (highAllowed) {
            parts.add(sequence(text(sign + last), POINT_ZEROS));
        }
    }

    /// The digits behind the point, without zeros at their end.
    private static String behindPoint(BigDecimal number) {
        String digits = number.stripTrailingZeros().toPlainString();
        int point = digits.indexOf('.');
        return point < 0 ? "" : digits.substring(point + 1);
    }

    /// Digits behind those of a lower bound: any, or such that more is said than the bound.
    private static Expr moreDigits(boolean equalAllowed) {
        return equalAllowed
                ? ANY_DIGITS
                : sequence(
                        repeat(text("0"), 0, JsonText.MOST_DIGITS / 2 - 1),
                        digit('1', '9'),
                        repeat(JsonText.DIGIT, 0, JsonText.MOST_DIGITS / 2));
    }

    /// Digits behind a point, not below others; not none.
    private static Expr digitsFrom(String least, boolean allowed) {
        char first = least.charAt(0);
        String rest = least.substring(1);
        List<Expr> parts = new ArrayList<>();
        if (first < '9') {
            parts.add(sequence(digit(first + 1, '9'), ANY_DIGITS));
        }
        parts.add(sequence(digit(first, first), rest.isEmpty() ? moreDigits(allowed) : digitsFrom(rest, allowed)));
        return choice(parts);
    }

    /// Digits behind a point, not above others, which do not end with a zero; not none.
    private static Expr digitsTo(String most, boolean allowed) {
        char first = most.charAt(0);
        String rest = most.substring(1);
        List<Expr> parts = new ArrayList<>();
        if (first > '0') {
            parts.add(sequence(digit('0', first - 1), ANY_DIGITS));
        }
        if (!rest.isEmpty()) {
            parts.add(sequence(digit(first, first), optional(digitsTo(rest, allowed))));
        } else if (allowed) {
            parts.add(sequence(digit(first, first), ZEROS));
        }
        return choice(parts);
    }

    /// Digits behind a point, between others of which the former are less; not none.
    ///
    /// @param least may be empty, and stands for zeros then
    private static Expr digitsBetween(String least, boolean leastAllowed, String most, boolean mostAllowed) {
        char low = least.isEmpty() ? '0' : least.charAt(0);
        char high = most.charAt(0);
        String afterLow = least.isEmpty() ? "" : least.substring(1);
        String afterHigh = most.substring(1);
        if (low == high) {
            Expr rest = digitsBetween(afterLow, leastAllowed, afterHigh, mostAllowed);
            return sequence(digit(low, low), afterLow.isEmpty() && leastAllowed ? optional(rest) : rest);
        }
        List<Expr> parts = new ArrayList<>();
        parts.add(sequence(
                digit(low, low), afterLow.isEmpty() ? moreDigits(leastAllowed) : digitsFrom(afterLow, leastAllowed)));
        if (low + 1 < high) {
            parts.add(sequence(digit(low + 1, high - 1), ANY_DIGITS));
        }
        if (!afterHigh.isEmpty()) {
            parts.add(sequence(digit(high, high), optional(digitsTo(afterHigh, mostAllowed))));
        } else if (mostAllowed) {
            parts.add(sequence(digit(high, high), ZEROS));
        }
        return choice(parts);
    }

    /// Without a sign.
    private static Expr whole(BigInteger low, BigInteger high) {
        List<Expr> parts = new ArrayList<>();
        int shortest = low.toString().length();
        int longest = high.toString().length();
        for (int digits = shortest; digits <= longest; digits++) {
            String from = digits == shortest ? low.toString() : "1" + "0".repeat(digits - 1);
            String to = digits == longest ? high.toString() : "9".repeat(digits);
            parts.add(between(from, to));
        }
        return choice(parts);
    }

    /// Texts of as many digits as both have.
    private static Expr between(String from, String to) {
        if (from.isEmpty()) {
            return Expr.EMPTY;
        }
        char low = from.charAt(0);
        char high = to.charAt(0);
        String afterLow = from.substring(1);
        String afterHigh = to.substring(1);
        int rest = afterLow.length();
        if (low == high) {
            return sequence(text(String.valueOf(low)), between(afterLow, afterHigh));
        }
        if (afterLow.equals("0".repeat(rest)) && afterHigh.equals("9".repeat(rest))) {
            return sequence(digit(low, high), repeat(JsonText.DIGIT, rest, rest));
        }
        List<Expr> parts = new ArrayList<>();
        parts.add(sequence(text(String.valueOf(low)), between(afterLow, "9".repeat(rest))));
        if (low + 1 < high) {
            parts.add(sequence(digit(low + 1, high - 1), repeat(JsonText.DIGIT, rest, rest)));
        }
        parts.add(sequence(text(String.valueOf(high)), between("0".repeat(rest), afterHigh)));
        return choice(parts);
    }

    private static Expr digit(int low, int high) {
        return new Expr.Chars(CharSet.range(low, high));
    }
}
