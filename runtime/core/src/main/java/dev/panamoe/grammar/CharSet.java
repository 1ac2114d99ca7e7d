package dev.panamoe.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// A set of Unicode characters: code points without the surrogates, which no well-formed text holds.
///
/// @param ranges sorted, not empty, without overlap
record CharSet(List<Range> ranges) {
    /// @param last inclusive
    record Range(int first, int last) {}

    static final CharSet ALL = ofRanges(List.of(new Range(0, Character.MAX_CODE_POINT)));

    /// @param ranges in any order, overlapping or not
    static CharSet ofRanges(List<Range> ranges) {
        List<Range> sorted = new ArrayList<>();
        for (Range r : ranges) {
            add(sorted, r.first, Math.min(r.last, Character.MIN_SURROGATE - 1));
            add(sorted, Math.max(r.first, Character.MAX_SURROGATE + 1), r.last);
        }
        sorted.sort(Comparator.comparingInt(Range::first));
        List<Range> merged = new ArrayList<>();
        for (Range r : sorted) {
            if (!merged.isEmpty() && r.first <= merged.getLast().last + 1) {
                Range before = merged.removeLast();
                merged.add(new Range(before.first, Math.max(before.last, r.last)));
            } else {
                merged.add(r);
            }
        }
        return new CharSet(List.copyOf(merged));
    }

    private static void add(List<Range> ranges, int first, int last) {
        if (first <= last) {
            ranges.add(new Range(first, last));
        }
    }

    static CharSet of(String members) {
        return ofRanges(members.codePoints().mapToObj(c -> new Range(c, c)).toList());
    }

    static CharSet range(int first, int last) {
        return ofRanges(List.of(new Range(first, last)));
    }

    CharSet or(CharSet other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        return ofRanges(all);
    }

    CharSet not() {
        List<Range> rest = new ArrayList<>();
        int from = 0;
        for (Range r : ranges) {
            add(rest, from, r.first - 1);
            from = r.last + 1;
        }
        add(rest, from, Character.MAX_CODE_POINT);
        return ofRanges(rest);
    }

    CharSet minus(CharSet other) {
        return not().or(other).not();
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    boolean contains(int c) {
        return ranges.stream().anyMatch(r -> r.first <= c && c <= r.last);
    }
}
