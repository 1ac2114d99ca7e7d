package dev.panamoe.gguf;

/// Makes text from a file fit for a message or a terminal: one line, no control characters, bounded length. A model
/// file is untrusted, and its strings could otherwise move the cursor, hide text or fake a second message.
public final class Printable {
    private Printable() {}

    /// The text with every control, formatting and line-breaking character written as an escape, cut with an ellipsis
    /// once `max` characters are written.
    public static String escape(String text, int max) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); ) {
            if (out.length() >= max) {
                return out.append('…').toString();
            }
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append("\\u{").append(Integer.toHexString(c)).append('}');
                    }
                }
            }
        }
        return out.toString();
    }

    /// As [#escape(String, int)], with a length that suits names in messages.
    public static String escape(String text) {
        return escape(text, 200);
    }

    /// Whether the character shows as itself and keeps to its place in the line.
    static boolean isPrintable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
