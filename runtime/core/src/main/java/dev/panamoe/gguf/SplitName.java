package dev.panamoe.gguf;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of one part of a split model: `PREFIX-00001-of-00003.gguf`.
///
/// @param number of this part, from 1
/// @param count of parts
record SplitName(String prefix, int number, int count) {
    private static final Pattern PATTERN = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.DOTALL);

    static Optional<SplitName> of(String fileName) {
        Matcher m = PATTERN.matcher(fileName);
        return m.matches()
                ? Optional.of(new SplitName(m.group(1), Integer.parseInt(m.group(2)), Integer.parseInt(m.group(3))))
                : Optional.empty();
    }

    /// The name of another part.
    String part(int wanted) {
        return prefix + suffix(wanted, count);
    }

    static String suffix(int number, int count) {
        return String.format(Locale.ROOT, "-%05d-of-%05d.gguf", number, count);
    }
}
