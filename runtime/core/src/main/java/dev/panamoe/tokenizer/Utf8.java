package dev.panamoe.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Characters in bytes of which not all need be well-formed UTF-8.
final class Utf8 {
    private static final byte[] REPLACEMENT_BYTES = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD};

    private Utf8() {}

    /// A text's bytes, unpaired surrogates replaced by U+FFFD (where `String.getBytes` would put a question mark).
    static byte[] of(String text) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8
                    .newEncoder()
                    .replaceWith(REPLACEMENT_BYTES)
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .encode(CharBuffer.wrap(text));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new IllegalStateException(e); // cannot happen: malformed input is replaced
        }
    }

    /// Bytes of the well-formed character at `at`, or 0 when there is none. Overlong forms, surrogates and values over
    /// U+10FFFF are not well-formed (Unicode standard, table 3-7).
    static int length(byte[] b, int at, int to) {
        int first = b[at] & 0xFF;
        int length = sequenceLength(first);
        if (length > to - at) {
            return 0;
        }
        for (int i = 1; i < length; i++) {
            int next = b[at + i] & 0xFF;
            if (i == 1 ? !isSecond(first, next) : !isContinuation(next)) {
                return 0;
            }
        }
        return length;
    }

    /// Bytes of the characters that begin with this byte, or 0 when none does.
    static int sequenceLength(int first) {
        if (first < 0x80) {
            return 1;
        }
        if (first < 0xC2 || first > 0xF4) {
            return 0;
        }
        return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    }

    /// Whether a character of several bytes may begin with these two.
    static boolean isSecond(int first, int second) {
        int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        return second >= low && second <= high;
    }

    static boolean isContinuation(int b) {
        return (b & 0xC0) == 0x80;
    }

    /// The code point of the well-formed character of `length` bytes at `at`.
    static int codePoint(byte[] b, int at, int length) {
        return switch (length) {
            case 1 -> b[at];
            case 2 -> ((b[at] & 0x1F) << 6) | (b[at + 1] & 0x3F);
            case 3 -> ((b[at] & 0x0F) << 12) | ((b[at + 1] & 0x3F) << 6) | (b[at + 2] & 0x3F);
            default ->
                ((b[at] & 0x07) << 18) | ((b[at + 1] & 0x3F) << 12) | ((b[at + 2] & 0x3F) << 6) | (b[at + 3] & 0x3F);
        };
    }
}
