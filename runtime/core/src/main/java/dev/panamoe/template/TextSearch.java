package dev.panamoe.template;

/// Finds one text in others in time linear in both: the JDK's `indexOf` takes their product in the worst case, which a
/// hostile template would choose. (Knuth, Morris and Pratt; short needles use `indexOf`.)
final class TextSearch {
    private static final int SHORT = 16;

    private final String needle;
    /// `border[i]`: length of the longest proper prefix of `needle[0..i]` that is also its suffix.
    private final int[] border;

    TextSearch(String needle) {
        this.needle = needle;
        if (needle.length() <= SHORT) {
            border = new int[0];
            return;
        }
        Budget.text(2L * needle.length());
        border = new int[needle.length()];
        for (int i = 1, k = 0; i < needle.length(); i++) {
            k = extend(k, needle.charAt(i));
            border[i] = k;
        }
    }

    /// Index in UTF-16 units of the first match at or after `from`, or -1.
    int first(String s, int from) {
        int at = border.length == 0 ? s.indexOf(needle, from) : search(s, from);
        int scanned = (at < 0 ? s.length() : at) - from;
        Budget.scan(border.length == 0 ? scanned : 4L * scanned);
        return at;
    }

    private int search(String s, int from) {
        for (int i = from, k = 0; i < s.length(); i++) {
            k = extend(k, s.charAt(i));
            if (k == needle.length()) {
                return i - k + 1;
            }
        }
        return -1;
    }

    private int extend(int matched, char c) {
        int k = matched;
        while (k > 0 && needle.charAt(k) != c) {
            k = border[k - 1];
        }
        return needle.charAt(k) == c ? k + 1 : k;
    }
}
