package dev.panamoe.tokenizer;

/// The code points of a text and where each begins. A byte outside well-formed characters counts as U+FFFD.
final class CodePoints {
    private static final int REPLACEMENT = 0xFFFD;

    private final int[] values; // the first `count` are in use
    private final int[] starts; // (count + 1); the last is the end of the text
    private final int count;

    /// @param utf8 bytes, of which `from .. to` (exclusive) are the text
    CodePoints(byte[] utf8, int from, int to) {
        values = new int[to - from];
        starts = new int[to - from + 1];
        int found = 0;
        for (int at = from; at < to; found++) {
            int length = Utf8.length(utf8, at, to);
            values[found] = length == 0 ? REPLACEMENT : Utf8.codePoint(utf8, at, length);
            starts[found] = at;
            at += Math.max(length, 1);
        }
        starts[found] = to;
        count = found;
    }

    int[] values() {
        return values;
    }

    int count() {
        return count;
    }

    /// The first byte of code point `i`, or the end of the text for `count`.
    int start(int i) {
        return starts[i];
    }
}
