package dev.panamoe.cli;

/// How a message of several lines is typed or piped: a line that ends with a backslash goes on in the next, and what
/// begins with `"""` ends with `"""`.
final class Multiline {
    static final String QUOTE = "\"\"\"";
    private static final String BACKSLASH = "\\";

    private Multiline() {}

    /// Whether a block was begun and not ended.
    static boolean inBlock(String text) {
        String begun = text.stripLeading();
        return begun.startsWith(QUOTE)
                && !begun.substring(QUOTE.length()).stripTrailing().endsWith(QUOTE);
    }

    /// Whether the last line goes on in the next. The backslash is no part of the message.
    static boolean continues(String text) {
        return !text.stripLeading().startsWith(QUOTE) && text.endsWith(BACKSLASH);
    }

    /// The message of a whole text: of a block what is inside, without the line ends next to the quotes.
    static String unquoted(String text) {
        String block = text.strip();
        if (!block.startsWith(QUOTE) || inBlock(text)) {
            return text;
        }
        String inside = block.substring(QUOTE.length(), block.length() - QUOTE.length());
        int from = inside.startsWith("\n") ? 1 : 0;
        int to = inside.length() > from && inside.endsWith("\n") ? inside.length() - 1 : inside.length();
        return inside.substring(from, to);
    }
}
