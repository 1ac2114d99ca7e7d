package dev.panamoe.tokenizer;

import java.util.Arrays;
import java.util.stream.IntStream;

/// A set of code points, as ranges.
final class CodePointSet {
    private final int[] bounds; // first, last of each range, ascending

    private CodePointSet(int[] bounds) {
        this.bounds = bounds;
    }

    /// @param ranges hexadecimal code points and ranges `first-last` with spaces between, ascending
    static CodePointSet of(String ranges) {
        return new CodePointSet(Arrays.stream(ranges.trim().split("\\s+"))
                .flatMapToInt(range -> {
                    String[] ends = range.split("-");
                    int first = Integer.parseInt(ends[0], 16);
                    return IntStream.of(first, ends.length == 1 ? first : Integer.parseInt(ends[1], 16));
                })
                .toArray());
    }

    boolean contains(int c) {
        int place = Arrays.binarySearch(bounds, c);
        // Found: it is the end of a range. Else it is inside one when an odd number of bounds lies before it.
        return place >= 0 || (~place & 1) != 0;
    }
}
