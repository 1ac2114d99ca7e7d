package dev.panamoe.ffm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The small text files of `/proc` and `/sys`. Any of them may be missing, unreadable or in an unexpected form in a
/// container or on another architecture: then there is no answer, and no error.
final class LinuxFiles {
    private static final int LARGEST_CPU_NUMBER = 1 << 16;

    private LinuxFiles() {}

    static Optional<String> text(Path file) {
        try {
            // ISO 8859-1 because every byte sequence is text in it.
            return Optional.of(
                    Files.readString(file, StandardCharsets.ISO_8859_1).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    static List<String> lines(Path file) {
        return text(file).map(t -> t.lines().toList()).orElse(List.of());
    }

    static OptionalLong number(Path file) {
        return text(file).map(LinuxFiles::number).orElse(OptionalLong.empty());
    }

    /// A decimal number, with the suffix K, M or G as sysfs writes cache sizes.
    static OptionalLong number(String text) {
        String digits = text.strip();
        long unit = 1;
        if (!digits.isEmpty()) {
            unit = switch (digits.charAt(digits.length() - 1)) {
                case 'K' -> 1L << 10;
                case 'M' -> 1L << 20;
                case 'G' -> 1L << 30;
                default -> 1;
            };
        }
        try {
            return OptionalLong.of(Math.multiplyExact(
                    Long.parseLong(unit == 1 ? digits : digits.substring(0, digits.length() - 1)), unit));
        } catch (NumberFormatException | ArithmeticException e) {
            return OptionalLong.empty();
        }
    }

    /// A CPU list such as `0-3,8,10-11`.
    static BitSet cpuList(String text) {
        BitSet cpus = new BitSet();
        for (String range : text.strip().split(",", -1)) {
            int dash = range.indexOf('-');
            OptionalLong first = number(dash < 0 ? range : range.substring(0, dash));
            OptionalLong last = dash < 0 ? first : number(range.substring(dash + 1));
            if (first.isPresent()
                    && last.isPresent()
                    && first.getAsLong() >= 0
                    && first.getAsLong() <= last.getAsLong()
                    && last.getAsLong() < LARGEST_CPU_NUMBER) {
                cpus.set((int) first.getAsLong(), (int) last.getAsLong() + 1);
            }
        }
        return cpus;
    }
}
