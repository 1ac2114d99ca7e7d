package dev.panamoe.template;

import java.util.Map;

/// Filters that make text.
final class TextFilters {
    private TextFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        all.put("string", (v, a) -> v instanceof Markup ? v : Repr.str(v));
        all.put("safe", (v, a) -> new Markup(Repr.str(v)));
        all.put("escape", (v, a) -> new Markup(Markup.escape(v)));
        all.put("e", (v, a) -> new Markup(Markup.escape(v)));
        all.put("forceescape", (v, a) -> new Markup(Markup.escape(Repr.str(v))));
        all.put("trim", TextFilters::trim);
        all.put("upper", (v, a) -> Markup.like(v, Text.upper(Repr.str(v))));
        all.put("lower", (v, a) -> Markup.like(v, Text.lower(Repr.str(v))));
        all.put("capitalize", (v, a) -> Markup.like(v, Text.capitalize(Repr.str(v))));
        all.put("title", (v, a) -> title(Repr.str(v)));
        all.put("replace", TextFilters::replace);
        all.put("indent", TextFilters::indent);
        all.put("center", (v, a) -> Text.center(Repr.str(v), a.integer(0, "width", 80)));
        all.put("format", (v, a) -> PercentFormat.format(Repr.str(v), new Tuple(a.positional())));
        all.put("wordcount", (v, a) -> words(Repr.str(v)));
        all.put("join", TextFilters::join);
        all.put("tojson", TextFilters::toJson);
        all.put("pprint", (v, a) -> Repr.of(v));
    }

    private static Object trim(Object v, Arguments a) {
        return Markup.like(v, Text.strip(Repr.str(v), a.present(0, "chars") ? a.text(0, "chars") : null, true, true));
    }

    private static Object replace(Object v, Arguments a) {
        int count = a.present(2, "count") ? a.integer(2, "count", -1) : -1;
        return Text.replace(Repr.str(v), Repr.str(a.get(0, "old")), Repr.str(a.get(1, "new")), count);
    }

    /// The filter `title` begins words after white space, hyphens and opening brackets only.
    private static Object title(String s) {
        Budget.elements(s.length());
        var b = new StringBuilder(s.length());
        boolean begins = true;
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            boolean separates = Text.isSpace(c) || "-({[<".indexOf(c) >= 0;
            b.appendCodePoint(separates ? c : begins ? Character.toTitleCase(c) : Character.toLowerCase(c));
            begins = separates;
        }
        return b.toString();
    }

    private static Object indent(Object v, Arguments a) {
        if (!Types.isText(Types.defined(v))) {
            throw TemplateException.typeError("indent needs a str, not " + Types.name(v));
        }
        Object width = a.get(0, "width", 4L);
        String pad = Types.isText(width) ? Repr.str(width) : Text.spaces(Numbers.toInt(width));
        boolean blank = a.bool(2, "blank", false);
        var lines = Text.lines(Repr.str(v) + "\n", false);
        var b = new StringBuilder(a.bool(1, "first", false) ? pad : "");
        for (int i = 0; i < lines.size(); i++) {
            if (i > 0) {
                b.append('\n').append(blank || !lines.get(i).isEmpty() ? pad : "");
            }
            b.append(lines.get(i));
            Budget.scan(pad.length());
            Budget.growing(b.length());
        }
        return Markup.like(v, b.toString());
    }

    private static Object words(String s) {
        Budget.steps(s.length());
        long n = 0;
        boolean in = false;
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            boolean word = Character.isLetterOrDigit(c) || c == '_';
            n += word && !in ? 1 : 0;
            in = word;
        }
        return n;
    }

    private static Object join(Object v, Arguments a) {
        String separator = Repr.str(a.get(0, "d", ""));
        boolean byAttribute = a.present(1, "attribute");
        var b = new StringBuilder();
        String before = "";
        for (Object item : Sequences.list(v)) {
            Budget.step();
            Object part = byAttribute ? Attributes.path(item, a.get(1, "attribute")) : item;
            b.append(before).append(Repr.str(part));
            Budget.growing(b.length());
            before = separator;
        }
        Budget.text(b.length());
        return b.toString();
    }

    /// `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
    private static Object toJson(Object v, Arguments a) {
        String indent = null;
        if (a.present(1, "indent")) {
            Object width = a.get(1, "indent");
            indent = Types.isText(width) ? Repr.str(width) : Text.spaces(Numbers.toInt(width));
        }
        String item = indent == null ? ", " : ",";
        String key = ": ";
        if (a.present(2, "separators")) {
            var separators = Sequences.list(a.get(2, "separators"));
            if (separators.size() != 2) {
                throw TemplateException.valueError("tojson needs two separators");
            }
            item = Repr.str(separators.get(0));
            key = Repr.str(separators.get(1));
        }
        boolean ascii = a.bool(0, "ensure_ascii", false);
        return Json.write(v, new Json.Style(ascii, indent, item, key, a.bool(3, "sort_keys", false)));
    }
}
