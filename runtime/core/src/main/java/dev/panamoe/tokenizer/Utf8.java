package dev.panamoe.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Characters in bytes of which not all need be well-formed UTF-8.
final class Utf8 {
    /// Stands for a byte that is no part of a well-formed character.
    static final int REPLACEMENT = 0xFFFD;

    private static final byte[] REPLACEMENT_BYTES = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD};

    private Utf8() {}

    /// A text's bytes, unpaired surrogates replaced by U+FFFD (where `String.getBytes` would put a question mark).
    static byte[] of(String text) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8
                    .newEncoder()
                    .replaceWith(REPLACEMENT_BYTES)
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .encode(CharBuffer.wrap(text));
            return Arrays.copyOf(bytes.array(), bytes.limit());
        } catch (CharacterCodingException e) {
            throw new IllegalStateException(e); // cannot happen: malformed input is replaced
        }
    }

    /// Bytes of the well-formed character at `at`, or 0 when there is none. Overlong forms, surrogates and values over
    /// U+10FFFF are not well-formed (Unicode standard, table 3-7).
    static int length(byte[] b, int at, int to) {
        int first = b[at] & 0xFF;
        if (first < 0x80) {
            return 1;
        }
        if (first < 0xC2 || first > 0xF4) {
            return 0;
        }
        int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (to - at < length) {
            return 0;
        }
        int second = b[at + 1] & 0xFF;
        int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (second < low || second > high) {
            return 0;
        }
        for (int i = 2; i < length; i++) {
            if ((b[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return length;
    }

    /// The code point of the well-formed character of `length` bytes at `at`.
    static int codePoint(byte[] b, int at, int length) {
        return switch (length) {
            case 1 -> b[at];
            case 2 -> (b[at] & 0x1F) << 6 | b[at + 1] & 0x3F;
            case 3 -> (b[at] & 0x0F) << 12 | (b[at + 1] & 0x3F) << 6 | b[at + 2] & 0x3F;
            default ->
                (b[at] & 0x07) << 18 | (b[at + 1] & 0x3F) << 12 | (b[at + 2] & 0x3F) << 6 | b[at + 3] & 0x3F;
        };
    }

    /// The code points of a text and where each begins. A byte outside well-formed characters counts as U+FFFD.
    ///
    /// @param codePoints the first `count` are in use
    /// @param starts the first byte of each code point; `starts[count]` is the end of the text
    record CodePoints(int[] codePoints, int[] starts, int count) {
        static CodePoints of(byte[] b, int from, int to) {
            int[] codePoints = new int[to - from];
            int[] starts = new int[to - from + 1];
            int count = 0;
            for (int at = from; at < to; count++) {
                int length = length(b, at, to);
                codePoints[count] = length == 0 ? REPLACEMENT : codePoint(b, at, length);
                starts[count] = at;
                at += Math.max(length, 1);
            }
            starts[count] = to;
            return new CodePoints(codePoints, starts, count);
        }
    }
}
