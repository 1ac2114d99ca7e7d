package dev.panamoe.cli;

import java.util.Locale;
import java.util.Optional;

/// Numbers of measurements for people.
final class Figures {
    private Figures() {}

    /// Three significant digits or all before the point: `0.0123`, `1.23`, `123`, `12345`.
    static String short3(double value) {
        double size = Math.abs(value);
        if (size == 0 || !Double.isFinite(value)) {
            return size == 0 ? "0" : String.valueOf(value);
        }
        int digits = Math.clamp(2 - (int) Math.floor(Math.log10(size)), 0, 6);
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    /// Tokens a second, as llama-bench writes them.
    static String rate(double tokensPerSecond) {
        return String.format(Locale.ROOT, "%.2f", tokensPerSecond);
    }

    static String gigabytes(double bytesPerSecond) {
        return short3(bytesPerSecond / 1e9) + " GB/s";
    }

    /// `1.23 TFLOP/s`, `123 GFLOP/s`.
    static String flops(double perSecond) {
        return perSecond >= 1e12 ? short3(perSecond / 1e12) + " TFLOP/s" : short3(perSecond / 1e9) + " GFLOP/s";
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    static String percent(Optional<Double> share) {
        return share.map(Figures::percent).orElse("");
    }

    /// `5.10 M`, `26.2 B`.
    static String count(long number) {
        if (number >= 1_000_000_000) {
            return short3(number / 1e9) + " B";
        }
        return number >= 1_000_000 ? short3(number / 1e6) + " M" : String.valueOf(number);
    }
}
