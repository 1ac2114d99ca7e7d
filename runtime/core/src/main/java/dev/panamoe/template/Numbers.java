package dev.panamoe.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Optional;

/// Python's int, bool and float: arithmetic, order, and reading them from text.
final class Numbers {
    /// As Python limits the conversion between text and int.
    static final int MAX_DIGITS = 4_300;

    private static final int MAX_BITS = 16_384;

    private Numbers() {}

    /// A [Long] where it fits.
    static Object of(BigInteger i) {
        if (i.bitLength() < 64) {
            return i.longValue();
        }
        if (i.bitLength() > MAX_BITS) {
            throw TemplateException.limit("an integer has more than " + MAX_BITS + " bits");
        }
        Budget.text(i.bitLength());
        return i;
    }

    /// The int of a finite float without fraction.
    static Object ofIntegral(double d) {
        return Math.abs(d) < 1L << 53 ? (Object) (long) d : of(new BigDecimal(d).toBigInteger());
    }

    static BigInteger big(Object o) {
        return switch (Types.defined(o)) {
            case Boolean b -> b ? BigInteger.ONE : BigInteger.ZERO;
            case Long l -> BigInteger.valueOf(l);
            case BigInteger i -> i;
            default ->
                throw TemplateException.typeError("'" + Types.name(o) + "' object cannot be interpreted as an integer");
        };
    }

    static double real(Object o) {
        return o instanceof Double d ? d : big(o).doubleValue();
    }

    /// An int clamped to 32 bits: enough for every index, width and count.
    static int toInt(Object o) {
        if (o instanceof Long l) {
            return Math.clamp(l, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        var i = big(o);
        return i.bitLength() < 32 ? i.intValue() : i.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
    }

    static Object negate(Object o) {
        return o instanceof Double d ? (Object) (-d) : of(big(o).negate());
    }

    static Object arithmetic(String op, Object a, Object b) {
        if (a instanceof Double || b instanceof Double || op.equals("/")) {
            return real(op, real(a), real(b));
        }
        if (op.equals("**") && big(b).signum() < 0) {
            return real(op, real(a), real(b));
        }
        BigInteger x = big(a);
        BigInteger y = big(b);
        if (y.signum() == 0 && (op.equals("//") || op.equals("%"))) {
            throw divisionByZero();
        }
        return of(
                switch (op) {
                    case "+" -> x.add(y);
                    case "-" -> x.subtract(y);
                    case "*" -> x.multiply(y);
                    case "%" -> floorMod(x, y);
                    case "//" -> x.subtract(floorMod(x, y)).divide(y);
                    case "**" -> power(x, y);
                    default -> throw new IllegalStateException(op);
                });
    }

    private static double real(String op, double x, double y) {
        boolean divides = op.equals("/") || op.equals("//") || op.equals("%");
        if ((y == 0 && divides) || (x == 0 && y < 0 && op.equals("**"))) {
            throw divisionByZero();
        }
        return switch (op) {
            case "+" -> x + y;
            case "-" -> x - y;
            case "*" -> x * y;
            case "/" -> x / y;
            case "%" -> floorMod(x, y);
            case "//" -> {
                double quotient = (x - floorMod(x, y)) / y;
                double floor = Math.floor(quotient);
                yield quotient - floor > 0.5 ? floor + 1 : floor;
            }
            case "**" -> Math.pow(x, y);
            default -> throw new IllegalStateException(op);
        };
    }

    private static double floorMod(double x, double y) {
        double r = x % y;
        if (r == 0) {
            return Math.copySign(0.0, y);
        }
        return (r < 0) == (y < 0) ? r : r + y;
    }

    private static BigInteger floorMod(BigInteger x, BigInteger y) {
        BigInteger r = x.remainder(y);
        return r.signum() != 0 && r.signum() != y.signum() ? r.add(y) : r;
    }

    private static BigInteger power(BigInteger x, BigInteger y) {
        int exponent = toInt(y);
        if (x.bitLength() > 1 && (long) x.bitLength() * exponent > 2L * MAX_BITS) {
            throw TemplateException.limit("an integer has more than " + MAX_BITS + " bits");
        }
        if (x.bitLength() <= 1 && !x.equals(BigInteger.TWO.negate())) {
            // 0, 1 and -1: the exponent may be anything; 2's bit length is 2.
            exponent = exponent == 0 ? 0 : x.signum() < 0 && !y.testBit(0) ? 2 : 1;
        }
        if (exponent > MAX_BITS) {
            throw TemplateException.limit("an integer has more than " + MAX_BITS + " bits");
        }
        return x.pow(exponent);
    }

    private static TemplateException divisionByZero() {
        return new TemplateException("ZeroDivisionError", "division by zero");
    }

    /// A total order, exact between ints and floats; NaN comes last. Whether NaN is *less* is the caller's question.
    static int compare(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            return Long.compare(x, y);
        }
        if (a instanceof Double x && b instanceof Double y) {
            return order(x, y);
        }
        if (a instanceof Double x) {
            return Double.isNaN(x) || Double.isInfinite(x)
                    ? order(x, 0.0)
                    : new BigDecimal(x).compareTo(new BigDecimal(big(b)));
        }
        return b instanceof Double ? -compare(b, a) : big(a).compareTo(big(b));
    }

    private static int order(double x, double y) {
        return x == y ? 0 : Double.compare(x, y);
    }

    static boolean isNaN(Object o) {
        return o instanceof Double d && Double.isNaN(d);
    }

    /// Digits of the base, single underscores between them and a sign; Python's `int(text, base)`.
    static Optional<Object> parseInt(String text, int base) {
        if (base < 2 || base > 36) {
            return Optional.empty();
        }
        int start = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        var digits = new StringBuilder();
        if (text.length() - start >= 2 && text.charAt(start) == '0') {
            int prefix = radix(text.charAt(start + 1));
            if (prefix == base && prefix != 10) {
                start += 2;
            }
        }
        boolean underscore = true;
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '_') {
                if (underscore) {
                    return Optional.empty();
                }
            } else if (Character.digit(c, base) < 0) {
                return Optional.empty();
            } else {
                digits.append(c);
            }
            underscore = c == '_';
        }
        if (digits.isEmpty() || underscore) {
            return Optional.empty();
        }
        if (digits.length() > MAX_DIGITS) {
            throw TemplateException.limit("an integer has more than " + MAX_DIGITS + " digits");
        }
        var i = new BigInteger(digits.toString(), base);
        return Optional.of(of(text.startsWith("-") ? i.negate() : i));
    }

    /// The base that the letter after a leading zero gives a literal; 10 for any other letter.
    static int radix(char letter) {
        return switch (letter) {
            case 'x', 'X' -> 16;
            case 'o', 'O' -> 8;
            case 'b', 'B' -> 2;
            default -> 10;
        };
    }

    /// Python's `float(text)`, which knows no hexadecimal and no type suffix.
    static Optional<Double> parseReal(String text) {
        if (text.length() > MAX_DIGITS) {
            return Optional.empty();
        }
        String s = text.startsWith("-") || text.startsWith("+") ? text.substring(1) : text;
        double sign = text.startsWith("-") ? -1 : 1;
        switch (s.toLowerCase(Locale.ROOT)) {
            case "inf", "infinity" -> {
                return Optional.of(sign * Double.POSITIVE_INFINITY);
            }
            case "nan" -> {
                return Optional.of(Double.NaN);
            }
            default -> {}
        }
        if (s.startsWith("-") || s.startsWith("+")) {
            return Optional.empty();
        }
        boolean digit = false;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            boolean isDigit = c >= '0' && c <= '9';
            boolean joins = c == '_' && digit && i + 1 < s.length() && Character.isDigit(s.charAt(i + 1));
            if (!isDigit && !joins && ".eE+-".indexOf(c) < 0) {
                return Optional.empty();
            }
            digit = isDigit;
        }
        try {
            return Optional.of(sign * Double.parseDouble(s.replace("_", "")));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
