package dev.panamoe.chat;

/// Where a text may be the beginning of a mark that is not complete yet.
final class Overlap {
    private Overlap() {}

    /// The length of the longest end of `text` that is a beginning of `mark`, but not all of it.
    static int suffix(CharSequence text, String mark) {
        for (int n = Math.min(text.length(), mark.length() - 1); n > 0; n--) {
            if (mark.startsWith(
                    text.subSequence(text.length() - n, text.length()).toString())) {
                return n;
            }
        }
        return 0;
    }
}
