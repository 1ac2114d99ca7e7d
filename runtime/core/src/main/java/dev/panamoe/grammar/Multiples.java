package dev.panamoe.grammar;

import static dev.panamoe.grammar.Expr.choice;
import static dev.panamoe.grammar.Expr.reference;
import static dev.panamoe.grammar.Expr.sequence;
import static dev.panamoe.grammar.Expr.text;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Numbers that are multiples of another, digit by digit: what may follow depends on how many digits are left and on
/// the remainder that they must have. The same number may be written with fewer digits behind the point where these
/// are zeros. No leading zeros, no exponents, no -0.
final class Multiples {
    /// Of all rules together.
    private static final long MOST_RULES = 4_000;

    private final Map<String, Expr> rules;
    private final long step;
    /// Digits behind the point.
    private final int behind;

    private Multiples(Map<String, Expr> rules, long step, int behind) {
        this.rules = rules;
        this.step = step;
        this.behind = behind;
    }

    /// Whether so few rules tell the multiples that a grammar bears them.
    static boolean areFew(BigInteger step, int digits) {
        if (step.bitLength() >= Integer.SIZE) {
            return false;
        }
        long count = 0;
        for (int behind = 0; behind <= digits; behind++) {
            BigInteger own = stepOf(step, BigInteger.TEN.pow(digits - behind));
            for (int left = 1; left <= JsonText.MOST_DIGITS; left++) {
                BigInteger power = BigInteger.TEN.pow(left);
                count += power.min(own.divide(own.gcd(power))).longValueExact();
            }
        }
        return count <= MOST_RULES;
    }

    /// The step among the multiples of a unit, in these units.
    private static BigInteger stepOf(BigInteger step, BigInteger unit) {
        return step.divide(step.gcd(unit));
    }

    /// Numbers in units of 10^-digits.
    ///
    /// @param rules gets the rules that the result refers to
    /// @param step above 0, see {@link #areFew}
    /// @param low not above `high`; neither beyond {@link DecimalRange#LARGEST}
    /// @return empty if there are none
    static Optional<Expr> between(
            Map<String, Expr> rules, BigInteger step, int digits, BigInteger low, BigInteger high) {
        List<Expr> all = new ArrayList<>();
        for (int behind = 0; behind <= digits; behind++) {
            BigInteger unit = BigInteger.TEN.pow(digits - behind);
            var multiples = new Multiples(rules, stepOf(step, unit).longValueExact(), behind);
            multiples.add(all, "", ceiling(low.max(BigInteger.ZERO), unit), high.divide(unit), high.signum() >= 0);
            multiples.add(
                    all,
                    "-",
                    ceiling(high.negate().max(BigInteger.ONE), unit),
                    low.negate().divide(unit),
                    low.signum() < 0);
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(choice(all));
    }

    private static BigInteger ceiling(BigInteger a, BigInteger unit) {
        return a.add(unit).subtract(BigInteger.ONE).divide(unit);
    }

    private void add(List<Expr> all, String sign, BigInteger low, BigInteger high, boolean any) {
        if (!any || low.compareTo(high) > 0) {
            return;
        }
        String least = padded(low.toString());
        String most = padded(high.toString());
        for (int digits = least.length(); digits <= most.length(); digits++) {
            String from = digits == least.length() ? least : "1" + "0".repeat(digits - 1);
            String to = digits == most.length() ? most : "9".repeat(digits);
            between(from, to, 0).ifPresent(e -> all.add(sequence(text(sign), e)));
        }
    }

    /// At least one digit stands before the point.
    private String padded(String digits) {
        return "0".repeat(Math.max(0, behind + 1 - digits.length())) + digits;
    }

    /// Digits from `from` to `to`, which are as many, with a remainder.
    private Optional<Expr> between(String from, String to, long remainder) {
        int left = from.length();
        if (left == 0) {
            return Optional.of(Expr.EMPTY);
        }
        if (from.equals("0".repeat(left)) && to.equals("9".repeat(left))) {
            return Optional.of(any(left, remainder));
        }
        return digits(from, to, remainder);
    }

    private Expr any(int left, long remainder) {
        String name = "multiples " + step + " " + behind + " " + left + " " + remainder;
        if (!rules.containsKey(name)) {
            rules.put(
                    name, digits("0".repeat(left), "9".repeat(left), remainder).orElseThrow());
        }
        return reference(name);
    }

    private Optional<Expr> digits(String from, String to, long remainder) {
        int left = from.length() - 1;
        BigInteger power = BigInteger.TEN.pow(left);
        Map<Expr, CharSet> following = new LinkedHashMap<>();
        for (char c = from.charAt(0); c <= to.charAt(0); c++) {
            long rest = BigInteger.valueOf(remainder)
                    .subtract(power.multiply(BigInteger.valueOf(c - '0')))
                    .mod(BigInteger.valueOf(step))
                    .longValueExact();
            // So many digits have every remainder below the power, and no other.
            if (power.compareTo(BigInteger.valueOf(rest)) > 0) {
                CharSet digit = CharSet.range(c, c);
                between(
                                c == from.charAt(0) ? from.substring(1) : "0".repeat(left),
                                c == to.charAt(0) ? to.substring(1) : "9".repeat(left),
                                rest)
                        .ifPresent(e -> following.merge(e, digit, CharSet::or));
            }
        }
        List<Expr> all = new ArrayList<>();
        following.forEach((e, set) ->
                all.add(sequence(new Expr.Chars(set), text(behind > 0 && left == behind ? "." : ""), e)));
        return all.isEmpty() ? Optional.empty() : Optional.of(choice(all));
    }
}
