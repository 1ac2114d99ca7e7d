package dev.panamoe.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Running text as SentencePiece writes it: spaces are U+2581, and a character that is no token is written as byte
/// tokens `<0x00>` to `<0xFF>`. There is no pre-tokeniser: the whole text is one piece for the merges. A U+2581 in the
/// text itself comes back as a space: the vocabulary cannot tell the two apart.
final class SentencePieceText implements TextRules {
    /// U+2581 LOWER ONE EIGHTH BLOCK.
    private static final byte[] SPACE = "▁".getBytes(StandardCharsets.UTF_8);

    private final Vocabulary vocabulary;
    private final boolean spacePrefix;
    private final boolean linesApart;
    private final int[] ascii = new int[0x80]; // token of each ASCII character, or -1
    private final int[] byteTokens = new int[256]; // token of each byte, or -1

    /// @param spacePrefix whether a space is put in front of the text
    /// @param linesApart whether a run of newlines is a piece of its own, as in Gemma, and one token if there is such
    SentencePieceText(Vocabulary vocabulary, boolean spacePrefix, boolean linesApart) {
        this.vocabulary = vocabulary;
        this.spacePrefix = spacePrefix;
        this.linesApart = linesApart;
        for (int i = 0; i < ascii.length; i++) {
            ascii[i] = vocabulary.findText(new byte[] {(byte) i}, 0, 1);
        }
        for (int i = 0; i < byteTokens.length; i++) {
            byteTokens[i] = vocabulary.findText(String.format("<0x%02X>", i));
        }
    }

    @Override
    public void encode(byte[] utf8, int from, int to, Merger merger, IntList tokens) {
        if (from == to) {
            return;
        }
        byte[] text = withMarkedSpaces(utf8, from, to);
        if (!linesApart) {
            encodePiece(text, 0, text.length, merger, tokens);
            return;
        }
        int end;
        for (int at = 0; at < text.length; at = end) {
            boolean newlines = text[at] == '\n';
            end = at + 1;
            while (end < text.length && (text[end] == '\n') == newlines) {
                end++;
            }
            int whole = newlines ? vocabulary.findText(text, at, end) : -1;
            if (whole >= 0) {
                tokens.add(whole);
            } else {
                encodePiece(text, at, end, merger, tokens);
            }
        }
    }

    private void encodePiece(byte[] text, int from, int to, Merger merger, IntList tokens) {
        int length;
        for (int at = from; at < to; at += length) {
            length = characterLength(text, at, to);
            int id = text[at] >= 0 ? ascii[text[at]] : vocabulary.findText(text, at, at + length);
            merger.add(id >= 0 ? id : ~at); // characters without a token are known by their place
        }
        merger.finish(symbol -> {
            if (symbol >= 0) {
                tokens.add(symbol);
            } else {
                encodeBytes(text, ~symbol, ~symbol + characterLength(text, ~symbol, to), tokens);
            }
        });
    }

    private void encodeBytes(byte[] text, int from, int to, IntList tokens) {
        for (int at = from; at < to; at++) {
            int b = text[at] & 0xFF;
            tokens.add(byteTokens[b] >= 0 ? byteTokens[b] : vocabulary.unknown(b));
        }
    }

    private static int characterLength(byte[] text, int at, int to) {
        return Math.max(1, Utf8.length(text, at, to));
    }

    private byte[] withMarkedSpaces(byte[] utf8, int from, int to) {
        int spaces = spacePrefix ? 1 : 0;
        for (int i = from; i < to; i++) {
            if (utf8[i] == ' ') {
                spaces++;
            }
        }
        int marks = Math.multiplyExact(spaces, SPACE.length - 1) + (spacePrefix ? 1 : 0);
        byte[] text = new byte[Math.addExact(to - from, marks)];
        int end = 0;
        if (spacePrefix) {
            System.arraycopy(SPACE, 0, text, 0, SPACE.length);
            end = SPACE.length;
        }
        for (int i = from; i < to; i++) {
            if (utf8[i] == ' ') {
                for (byte b : SPACE) {
                    text[end++] = b;
                }
            } else {
                text[end++] = utf8[i];
            }
        }
        return text;
    }

    @Override
    public byte[] bytes(int id) {
        byte[] text = vocabulary.bytes(id);
        int value = byteValue(id, text);
        if (value >= 0) {
            return new byte[] {(byte) value};
        }
        int end = 0;
        for (int at = 0; at < text.length; ) {
            if (Arrays.equals(text, at, Math.min(at + SPACE.length, text.length), SPACE, 0, SPACE.length)) {
                text[end++] = ' ';
                at += SPACE.length;
            } else {
                text[end++] = text[at++];
            }
        }
        return Arrays.copyOf(text, end);
    }

    /// The byte that the token stands for, or -1 when it is not a byte token.
    private int byteValue(int id, byte[] text) {
        if (text.length != "<0x00>".length() || text[0] != '<' || text[1] != '0' || text[2] != 'x') {
            return -1;
        }
        int value = (Character.digit(text[3], 16) << 4) | Character.digit(text[4], 16);
        return value >= 0 && byteTokens[value] == id ? value : -1;
    }
}
