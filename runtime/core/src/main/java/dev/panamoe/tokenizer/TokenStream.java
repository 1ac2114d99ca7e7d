package dev.panamoe.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns tokens into text as they come. A character whose bytes are spread over several tokens is held back until
/// its last one; bytes that cannot become a character give U+FFFD as soon as that is certain. The pieces joined are
/// what [Tokenizer#decode(int\[\])] gives for all the tokens. Belongs to one thread.
public final class TokenStream {
    private static final byte[] NOTHING = {};

    private final Tokenizer tokenizer;
    private final boolean showControl;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] held = NOTHING;

    TokenStream(Tokenizer tokenizer, boolean showControl) {
        this.tokenizer = tokenizer;
        this.showControl = showControl;
    }

    /// The text that is certain after one more token; empty when it only holds part of a character, or is a control
    /// token that is not shown.
    public String append(int id) {
        if (!showControl && tokenizer.isControl(id)) {
            return "";
        }
        return decode(tokenizer.bytes(id), false);
    }

    /// What was held back: U+FFFD for a character that was never finished, else nothing. The stream is as new after.
    public String finish() {
        String rest = decode(NOTHING, true);
        decoder.reset();
        return rest;
    }

    private String decode(byte[] bytes, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(held.length + bytes.length)
                .put(held)
                .put(bytes)
                .flip();
        // One char a byte is the most that UTF-8 can give.
        CharBuffer out = CharBuffer.allocate(in.remaining());
        decoder.decode(in, out, last);
        held = new byte[in.remaining()];
        in.get(held);
        if (last) {
            decoder.flush(out);
        }
        return out.flip().toString();
    }
}
