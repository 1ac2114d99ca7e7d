package dev.panamoe.tokenizer;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/// Running text of GPT-2 and its descendants: the text is cut into pieces by the model's pre-tokeniser, and the
/// merges start from single bytes, each of which the vocabulary writes as one printable character.
final class ByteLevelText implements TextRules {
    /// Characters 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for the byte of that number; those from 0x100 stand for the
    /// other 68 bytes in order.
    private static final int CHARACTERS = 0x100 + 68;

    private final Vocabulary vocabulary;
    private final PreTokenizer preTokenizer;
    private final int[] byteTokens = new int[256]; // token of each byte, or -1
    private final byte[][] characterOf = new byte[256][]; // UTF-8 of the character of each byte
    private final int[] byteOf = new int[CHARACTERS]; // byte of each character, or -1

    ByteLevelText(Vocabulary vocabulary, PreTokenizer preTokenizer) {
        this.vocabulary = vocabulary;
        this.preTokenizer = preTokenizer;
        Arrays.fill(byteOf, -1);
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            int character = itself ? b : next++;
            byteOf[character] = b;
            characterOf[b] = Utf8.of(Character.toString(character));
            byteTokens[b] = vocabulary.findText(characterOf[b], 0, characterOf[b].length);
        }
    }

    @Override
    public void encode(byte[] utf8, int from, int to, Merger merger, IntList tokens) {
        CodePoints text = new CodePoints(utf8, from, to);
        preTokenizer
                .splitter()
                .split(
                        text.values(),
                        0,
                        text.count(),
                        (first, end) -> encodePiece(utf8, text.start(first), text.start(end), merger, tokens));
    }

    private void encodePiece(byte[] utf8, int from, int to, Merger merger, IntList tokens) {
        int whole = preTokenizer.ignoreMerges() ? findWhole(utf8, from, to) : -1;
        if (whole >= 0) {
            tokens.add(whole);
            return;
        }
        for (int at = from; at < to; at++) {
            int b = utf8[at] & 0xFF;
            merger.add(byteTokens[b] >= 0 ? byteTokens[b] : vocabulary.unknown(b));
        }
        merger.finish(tokens::add);
    }

    /// The token of a whole piece, or -1.
    private int findWhole(byte[] utf8, int from, int to) {
        if (to - from > vocabulary.longest()) {
            return -1;
        }
        byte[] text = new byte[2 * (to - from)];
        int end = 0;
        for (int at = from; at < to; at++) {
            for (byte b : characterOf[utf8[at] & 0xFF]) {
                text[end++] = b;
            }
        }
        return vocabulary.findText(text, 0, end);
    }

    /// Characters that stand for no byte, which only special tokens have, are themselves.
    @Override
    public byte[] bytes(int id) {
        byte[] text = vocabulary.bytes(id);
        if (vocabulary.isSpecial(id)) {
            return text;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length);
        int length;
        for (int at = 0; at < text.length; at += length) {
            length = Math.max(1, Utf8.length(text, at, text.length));
            int character = Utf8.codePoint(text, at, length);
            if (character >= 0 && character < CHARACTERS && byteOf[character] >= 0) {
                bytes.write(byteOf[character]);
            } else {
                bytes.write(text, at, length);
            }
        }
        return bytes.toByteArray();
    }
}
