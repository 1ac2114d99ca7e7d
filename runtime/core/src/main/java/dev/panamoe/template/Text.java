package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Python's view of text: by code point, and with Unicode's white space (the no-break space included).
final class Text {
    private Text() {}

    static boolean isSpace(int c) {
        return (c >= 9 && c <= 13)
                || (c >= 0x1c && c <= 0x20)
                || c == 0x85
                || c == 0xa0
                || (c > 0x100 && Character.isSpaceChar(c));
    }

    static boolean isBlank(String s) {
        return s.codePoints().allMatch(Text::isSpace);
    }

    static int length(String s) {
        Budget.scan(s.length());
        return s.codePointCount(0, s.length());
    }

    /// Code points `start` to `stop`, which are within the text.
    static String slice(String s, int start, int stop) {
        if (start >= stop) {
            return "";
        }
        Budget.scan(s.length());
        int from = s.offsetByCodePoints(0, start);
        return s.substring(from, s.offsetByCodePoints(from, stop - start));
    }

    static List<Object> characters(String s) {
        Budget.elements(s.length());
        var list = new ArrayList<Object>(s.length());
        s.codePoints().forEach(c -> list.add(Character.toString(c)));
        return list;
    }

    static int compare(String a, String b) {
        Budget.scan(Math.min(a.length(), b.length()));
        int n = Math.min(a.length(), b.length());
        for (int i = 0; i < n; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // Surrogates sort above the rest of the plane by code point, not by UTF-16 unit.
                boolean sameKind = Character.isSurrogate(x) == Character.isSurrogate(y);
                return sameKind ? Character.compare(x, y) : Character.isSurrogate(x) ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    static String upper(String s) {
        Budget.text(s.length());
        return s.toUpperCase(Locale.ROOT);
    }

    static String lower(String s) {
        Budget.text(s.length());
        return s.toLowerCase(Locale.ROOT);
    }

    static String capitalize(String s) {
        if (s.isEmpty()) {
            return s;
        }
        int n = s.offsetByCodePoints(0, 1);
        return Character.toString(Character.toTitleCase(s.codePointAt(0))) + lower(s.substring(n));
    }

    /// Python's `str.title`: a letter after a non-letter is raised.
    static String title(String s) {
        Budget.elements(s.length());
        var b = new StringBuilder(s.length());
        boolean inWord = false;
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            b.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return b.toString();
    }

    /// Without the characters of `set` (null: white space) at the chosen ends.
    static String strip(String s, @Nullable String set, boolean left, boolean right) {
        int a = 0;
        int b = s.length();
        while (left && a < b && stripped(s.codePointAt(a), set)) {
            a += Character.charCount(s.codePointAt(a));
        }
        while (right && b > a && stripped(s.codePointBefore(b), set)) {
            b -= Character.charCount(s.codePointBefore(b));
        }
        Budget.text(b - a);
        Budget.steps((s.length() - (b - a)) * (set == null ? 1L : 1L + set.length()) / Budget.CHARS_PER_STEP);
        return s.substring(a, b);
    }

    private static boolean stripped(int c, @Nullable String set) {
        return set == null ? isSpace(c) : set.indexOf(c) >= 0;
    }

    static List<Object> split(String s, String separator, int max) {
        if (separator.isEmpty()) {
            throw TemplateException.valueError("empty separator");
        }
        var parts = new ArrayList<Object>();
        var search = new TextSearch(separator);
        int from = 0;
        for (int left = max; left != 0; left--) {
            int at = search.first(s, from);
            if (at < 0) {
                break;
            }
            parts.add(s.substring(from, at));
            Budget.elements(1);
            from = at + separator.length();
        }
        Budget.text(s.length());
        parts.add(s.substring(from));
        return parts;
    }

    /// At runs of white space; none at the ends.
    static List<Object> split(String s, int max) {
        Budget.text(s.length());
        var parts = new ArrayList<Object>();
        int at = skip(s, 0, true);
        while (at < s.length()) {
            boolean rest = parts.size() == max;
            int end = rest ? s.length() : skip(s, at, false);
            parts.add(s.substring(at, end));
            Budget.elements(1);
            at = skip(s, end, true);
        }
        return parts;
    }

    private static int skip(String s, int from, boolean space) {
        int i = from;
        while (i < s.length() && isSpace(s.charAt(i)) == space) {
            i++;
        }
        return i;
    }

    static List<String> lines(String s, boolean keepEnds) {
        Budget.text(s.length());
        var lines = new ArrayList<String>();
        int from = 0;
        for (int i = 0; i < s.length(); i++) {
            if (!isLineEnd(s.charAt(i))) {
                continue;
            }
            int end = s.startsWith("\r\n", i) ? i + 2 : i + 1;
            lines.add(s.substring(from, keepEnds ? end : i));
            Budget.elements(1);
            from = end;
            i = end - 1;
        }
        if (from < s.length()) {
            lines.add(s.substring(from));
        }
        return lines;
    }

    private static boolean isLineEnd(char c) {
        return (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /// At most `max` times, or everywhere for -1.
    static String replace(String s, String from, String to, int max) {
        var b = new StringBuilder();
        var search = new TextSearch(from);
        int copied = 0;
        int left = max;
        for (int at = search.first(s, 0); at >= 0 && left != 0; left--) {
            b.append(s, copied, at).append(to);
            Budget.step();
            Budget.growing(b.length());
            copied = at + from.length();
            int next = copied;
            if (from.isEmpty()) {
                if (at >= s.length()) {
                    break;
                }
                next = at + Character.charCount(s.codePointAt(at));
            }
            at = next > s.length() ? -1 : search.first(s, next);
        }
        b.append(s, copied, s.length());
        Budget.text(b.length());
        return b.toString();
    }

    static String spaces(int n) {
        return repeat(" ", n);
    }

    static String repeat(String s, int n) {
        Budget.text((long) s.length() * Math.max(0, n));
        return s.repeat(Math.max(0, n));
    }

    /// Characters that a text lacks of a width. A template's may be near -2^31, where the difference would overflow.
    static int lacking(String s, int width) {
        return Math.max(0, Math.max(0, width) - length(s));
    }

    static String center(String s, int width) {
        int gap = lacking(s, width);
        int left = gap / 2 + (gap & width & 1);
        return spaces(left) + s + spaces(gap - left);
    }

    static String reverse(String s) {
        Budget.text(s.length());
        return new StringBuilder(s).reverse().toString();
    }
}
