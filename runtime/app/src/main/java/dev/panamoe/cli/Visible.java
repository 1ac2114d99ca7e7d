package dev.panamoe.cli;

/// What a model writes may hold escape sequences, learnt or provoked, that would retitle a terminal, hide text or
/// worse.
final class Visible {
    private Visible() {}

    /// The text with every control character but line feed and tab written as its number: `\x1b`.
    static String controls(String text) {
        if (text.chars().noneMatch(Visible::isHarmful)) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length() + 8);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isHarmful(c)) {
                out.append(c);
            } else {
                out.append("\\x%02x".formatted((int) c)); // all of them are below 0xA0
            }
        }
        return out.toString();
    }

    private static boolean isHarmful(int c) {
        return Character.isISOControl(c) && c != '\n' && c != '\t';
    }
}
