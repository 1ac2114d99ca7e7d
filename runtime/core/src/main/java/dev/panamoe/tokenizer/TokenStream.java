package dev.panamoe.tokenizer;

/// Turns tokens into text as they come. A character whose bytes are spread over several tokens is held back until
/// its last one; bytes that cannot become a character give U+FFFD as soon as that is certain, one for each longest
/// beginning of a character (as the Unicode standard recommends and browsers do). The pieces joined are what
/// [Tokenizer#decode(int\[\])] gives for all the tokens. Belongs to one thread.
public final class TokenStream {
    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private final boolean showControl;
    private final byte[] held = new byte[4]; // the beginning of a character
    private int heldCount;
    private final boolean dropsSpace;
    private boolean begun;

    /// @param dropsSpace whether a space at the beginning is no part of the text
    TokenStream(Tokenizer tokenizer, boolean showControl, boolean dropsSpace) {
        this.tokenizer = tokenizer;
        this.showControl = showControl;
        this.dropsSpace = dropsSpace;
    }

    /// The text that is certain after one more token; empty when it only holds part of a character, or is a control
    /// token that is not shown.
    public String append(int id) {
        if (!showControl && tokenizer.isControl(id)) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        byte[] bytes = tokenizer.bytes(id);
        boolean drop = dropsSpace && !begun && bytes.length > 0 && bytes[0] == ' ';
        for (int i = drop ? 1 : 0; i < bytes.length; i++) {
            append(bytes[i], text);
        }
        begun = true;
        return text.toString();
    }

    /// What was held back: U+FFFD for a character that was never finished, else nothing. The stream is as new after.
    public String finish() {
        begun = false;
        return breakOff();
    }

    /// What was held back, where something else begins: no character goes on behind it.
    public String breakOff() {
        StringBuilder text = new StringBuilder();
        giveUp(text);
        return text.toString();
    }

    private void append(byte b, StringBuilder text) {
        if (heldCount > 0 && !continues(b & 0xFF)) {
            giveUp(text);
        }
        held[heldCount++] = b;
        int length = Utf8.sequenceLength(held[0] & 0xFF);
        if (length == 0) {
            giveUp(text);
        } else if (length == heldCount) {
            text.appendCodePoint(Utf8.codePoint(held, 0, length));
            heldCount = 0;
        }
    }

    private boolean continues(int b) {
        return heldCount == 1 ? Utf8.isSecond(held[0] & 0xFF, b) : Utf8.isContinuation(b);
    }

    private void giveUp(StringBuilder text) {
        if (heldCount > 0) {
            text.append(REPLACEMENT);
            heldCount = 0;
        }
    }
}
