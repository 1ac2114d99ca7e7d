package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.choice;
import static dev.panamoe.grammar.Expr.optional;
import static dev.panamoe.grammar.Expr.repeat;
import static dev.panamoe.grammar.Expr.sequence;
import static dev.panamoe.grammar.Expr.text;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Numbers between two bounds, digit by digit. No leading zeros, no exponents, -0 only as 0.
final class DecimalRange {
    /// The largest whole number that is written.
    static final BigInteger LARGEST = BigInteger.TEN.pow(JsonText.MOST_DIGITS).subtract(BigInteger.ONE);

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

    /// Numbers from `low` to `high`, both whole, or without one of the bounds where that is not whole itself.
    ///
    /// @param lowAllowed whether `low` itself is one of them
    /// @return null if there are none
    static @Nullable Expr numbers(BigInteger low, boolean lowAllowed, BigInteger high, boolean highAllowed) {
        List<Expr> parts = new ArrayList<>();
        if (high.signum() > 0 || (high.signum() == 0 && highAllowed)) {
            boolean positive = low.signum() >= 0;
            add(parts, "", positive ? low : BigInteger.ZERO, !positive || lowAllowed, high, highAllowed);
        }
        if (low.signum() < 0) {
            boolean negative = high.signum() <= 0;
            // Zero is written without a sign.
            BigInteger from = negative ? high.negate() : BigInteger.ZERO;
            add(parts, "-", from, negative && from.signum() > 0 && highAllowed, low.negate(), lowAllowed);
        }
        return parts.isEmpty() ? null : choice(parts);
    }

    /// Both bounds are whole and not negative.
    private static void add(
            List<Expr> parts, String sign, BigInteger low, boolean lowAllowed, BigInteger high, boolean highAllowed) {
        Expr zeros = optional(sequence(text("."), repeat(text("0"), 1, JsonText.MOST_DIGITS)));
        Expr behind = optional(JsonText.FRACTION);
        if (low.compareTo(high) > 0) {
            return;
        }
        if (low.equals(high)) {
            if (lowAllowed && highAllowed) {
                parts.add(sequence(text(sign + low), zeros));
            }
            return;
        }
        if (lowAllowed) {
            parts.add(sequence(text(sign + low), behind));
        } else {
            Expr some = sequence(
                    repeat(text("0"), 0, JsonText.MOST_DIGITS / 2 - 1),
                    new Expr.Chars(CharSet.range('1', '9')),
                    repeat(JsonText.DIGIT, 0, JsonText.MOST_DIGITS / 2));
            parts.add(sequence(text(sign + low + "."), some));
        }
        BigInteger next = low.add(BigInteger.ONE);
        if (next.compareTo(high) < 0) {
            parts.add(sequence(text(sign), whole(next, high.subtract(BigInteger.ONE)), behind));
        }
        if (highAllowed) {
            parts.add(sequence(text(sign + high), zeros));
        }
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
