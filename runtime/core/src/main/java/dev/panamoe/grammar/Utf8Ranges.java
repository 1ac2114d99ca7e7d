package dev.panamoe.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Ranges of characters as sequences of byte ranges: a character is in the set when each byte of its UTF-8 form is in
/// the range at its place in one of the sequences. After Ken Thompson's and Russ Cox's construction for regular
/// expressions.
final class Utf8Ranges {
    /// @param bytes the ranges, each `first | last << 8`
    record Pattern(List<Integer> bytes) {}

    private final List<Pattern> patterns = new ArrayList<>();

    private Utf8Ranges() {}

    static List<Pattern> of(CharSet set) {
        var ranges = new Utf8Ranges();
        set.ranges().forEach(r -> ranges.split(r.first(), r.last()));
        return ranges.patterns;
    }

    /// Splits until all bytes but the first differing one run over their whole range.
    private void split(int first, int last) {
        for (int limit : new int[] {0x7F, 0x7FF, 0xFFFF}) {
            if (first <= limit && last > limit) {
                split(first, limit);
                split(limit + 1, last);
                return;
            }
        }
        for (int bits = 6; bits <= 18 && first > 0x7F; bits += 6) {
            int mask = (1 << bits) - 1;
            if ((first & ~mask) == (last & ~mask)) {
                continue;
            }
            if ((first & mask) != 0) {
                split(first, first | mask);
                split((first | mask) + 1, last);
                return;
            }
            if ((last & mask) != mask) {
                split(first, (last & ~mask) - 1);
                split(last & ~mask, last);
                return;
            }
        }
        byte[] from = utf8(first);
        byte[] to = utf8(last);
        List<Integer> bytes = new ArrayList<>();
        for (int i = 0; i < from.length; i++) {
            bytes.add((from[i] & 0xFF) | (to[i] & 0xFF) << 8);
        }
        patterns.add(new Pattern(bytes));
    }

    private static byte[] utf8(int c) {
        return Character.toString(c).getBytes(StandardCharsets.UTF_8);
    }
}
