package dev.panamoe.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The methods of Python's `str`.
final class StringMethods {
    @FunctionalInterface
    private interface Method {
        Object call(String s, Arguments a);
    }

    private static final Map<String, Method> METHODS = Map.ofEntries(
            Map.entry("strip", (s, a) -> strip(s, a, true, true)),
            Map.entry("lstrip", (s, a) -> strip(s, a, true, false)),
            Map.entry("rstrip", (s, a) -> strip(s, a, false, true)),
            Map.entry("split", StringMethods::split),
            Map.entry("rsplit", StringMethods::splitFromEnd),
            Map.entry("splitlines", (s, a) -> new ArrayList<Object>(Text.lines(s, a.bool(0, "keepends", false)))),
            Map.entry("startswith", (s, a) -> anyOf(a.get(0), s::startsWith)),
            Map.entry("endswith", (s, a) -> anyOf(a.get(0), s::endsWith)),
            Map.entry("upper", (s, a) -> Text.upper(s)),
            Map.entry("lower", (s, a) -> Text.lower(s)),
            Map.entry("casefold", (s, a) -> Text.lower(s)),
            Map.entry("title", (s, a) -> Text.title(s)),
            Map.entry("capitalize", (s, a) -> Text.capitalize(s)),
            Map.entry(
                    "replace",
                    (s, a) -> Text.replace(s, a.text(0, "old"), a.text(1, "new"), a.integer(2, "count", -1))),
            Map.entry("find", (s, a) -> find(s, a)),
            Map.entry("rfind", (s, a) -> findLast(s, a)),
            Map.entry("index", (s, a) -> required(find(s, a))),
            Map.entry("rindex", (s, a) -> required(findLast(s, a))),
            Map.entry("count", StringMethods::count),
            Map.entry("join", StringMethods::join),
            Map.entry("isdigit", (s, a) -> all(s, Character::isDigit)),
            Map.entry("isnumeric", (s, a) -> all(s, Character::isDigit)),
            Map.entry("isdecimal", (s, a) -> all(s, Character::isDigit)),
            Map.entry("isalpha", (s, a) -> all(s, Character::isLetter)),
            Map.entry("isalnum", (s, a) -> all(s, Character::isLetterOrDigit)),
            Map.entry("isascii", (s, a) -> s.isEmpty() || all(s, c -> c < 128)),
            Map.entry("isspace", (s, a) -> all(s, Text::isSpace)),
            Map.entry("isupper", (s, a) -> isUpper(s)),
            Map.entry("islower", (s, a) -> isLower(s)),
            Map.entry("removeprefix", (s, a) -> {
                String prefix = a.text(0, "prefix");
                return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
            }),
            Map.entry("removesuffix", (s, a) -> {
                String suffix = a.text(0, "suffix");
                return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
            }),
            Map.entry("partition", (s, a) -> partition(s, a, false)),
            Map.entry("rpartition", (s, a) -> partition(s, a, true)),
            Map.entry("zfill", (s, a) -> {
                int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
                return s.substring(0, sign) + padding(s, a.integer(0, "width", 0), "0") + s.substring(sign);
            }),
            Map.entry("rjust", (s, a) -> padding(s, a.integer(0, "width", 0), a.text(1, "fillchar", " ")) + s),
            Map.entry("ljust", (s, a) -> s + padding(s, a.integer(0, "width", 0), a.text(1, "fillchar", " "))),
            Map.entry("center", (s, a) -> Text.center(s, a.integer(0, "width", 0))),
            Map.entry("format", BraceFormat::format));

    private StringMethods() {}

    /// The method bound to `s`; texts it gives are marked up if `self` is.
    static @Nullable Object find(Object self, String s, String name) {
        Method method = METHODS.get(name);
        if (method == null) {
            return null;
        }
        return (Function) a -> {
            Budget.text(s.length());
            Object result = method.call(s, a);
            return result instanceof String text ? Markup.like(self, text) : result;
        };
    }

    private static String strip(String s, Arguments a, boolean left, boolean right) {
        return Text.strip(s, a.present(0, "chars") ? a.text(0, "chars") : null, left, right);
    }

    private static List<Object> split(String s, Arguments a) {
        int max = a.integer(1, "maxsplit", -1);
        return a.present(0, "sep") ? Text.split(s, a.text(0, "sep"), max) : Text.split(s, max);
    }

    /// Splits the reversed text, then turns everything round.
    private static Object splitFromEnd(String s, Arguments a) {
        int max = a.integer(1, "maxsplit", -1);
        String reversed = Text.reverse(s);
        var parts = a.present(0, "sep")
                ? Text.split(reversed, Text.reverse(a.text(0, "sep")), max)
                : Text.split(reversed, max);
        parts.replaceAll(x -> Text.reverse(x.toString()));
        Collections.reverse(parts);
        return parts;
    }

    private static Object anyOf(Object o, Predicate<String> matches) {
        if (o instanceof Tuple t) {
            Budget.steps(t.items().size());
            return t.items().stream().anyMatch(x -> matches.test(Repr.str(x)));
        }
        if (!Types.isText(Types.defined(o))) {
            throw TemplateException.typeError("first arg must be str or a tuple of str, not " + Types.name(o));
        }
        return matches.test(Repr.str(o));
    }

    private static long find(String s, Arguments a) {
        int at = new TextSearch(a.text(0, "sub")).first(s, 0);
        return at < 0 ? -1 : s.codePointCount(0, at);
    }

    private static long findLast(String s, Arguments a) {
        return codePointIndex(s, lastIndex(s, a.text(0, "sub")));
    }

    private static long codePointIndex(String s, int at) {
        return at < 0 ? -1 : s.codePointCount(0, at);
    }

    /// The first match in the reversed text.
    private static int lastIndex(String s, String wanted) {
        int at = new TextSearch(Text.reverse(wanted)).first(Text.reverse(s), 0);
        return at < 0 ? -1 : s.length() - at - wanted.length();
    }

    private static Object required(long index) {
        if (index < 0) {
            throw TemplateException.valueError("substring not found");
        }
        return index;
    }

    private static Object count(String s, Arguments a) {
        String wanted = a.text(0, "sub");
        if (wanted.isEmpty()) {
            return Text.length(s) + 1L;
        }
        var search = new TextSearch(wanted);
        long n = 0;
        for (int at = search.first(s, 0); at >= 0; at = search.first(s, at + wanted.length())) {
            n++;
        }
        return n;
    }

    private static Object join(String separator, Arguments a) {
        var b = new StringBuilder();
        String before = "";
        for (Object item : Sequences.list(a.get(0))) {
            if (!Types.isText(item)) {
                throw TemplateException.typeError(
                        "sequence item: expected str instance, " + Types.name(item) + " found");
            }
            Budget.step();
            b.append(before).append(Repr.str(item));
            Budget.growing(b.length());
            before = separator;
        }
        return b.toString();
    }

    private static boolean all(String s, IntPredicate is) {
        return !s.isEmpty() && s.codePoints().allMatch(is);
    }

    static boolean isUpper(String s) {
        return !s.equals(Text.lower(s)) && s.equals(Text.upper(s));
    }

    static boolean isLower(String s) {
        return !s.equals(Text.upper(s)) && s.equals(Text.lower(s));
    }

    private static Object partition(String s, Arguments a, boolean last) {
        String separator = a.text(0, "sep");
        if (separator.isEmpty()) {
            throw TemplateException.valueError("empty separator");
        }
        int at = last ? lastIndex(s, separator) : new TextSearch(separator).first(s, 0);
        if (at < 0) {
            return last ? Tuple.of("", "", s) : Tuple.of(s, "", "");
        }
        return Tuple.of(s.substring(0, at), separator, s.substring(at + separator.length()));
    }

    private static String padding(String s, int width, String fill) {
        if (fill.codePointCount(0, fill.length()) != 1) {
            throw TemplateException.typeError("The fill character must be exactly one character long");
        }
        return Text.repeat(fill, Text.lacking(s, width));
    }
}
