package dev.panamoe.template;

/// A text marked safe for HTML: what is added to it with `+` is escaped.
record Markup(String text) {
    static String escape(Object o) {
        if (o instanceof Markup m) {
            return m.text;
        }
        String s = Repr.str(o);
        Budget.text(6L * s.length());
        return s.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }

    /// `text`, as a [Markup] if `model` is one.
    static Object like(Object model, String text) {
        Budget.text(text.length());
        return model instanceof Markup ? new Markup(text) : text;
    }
}
