package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Messages of a file or another program, one a line; see {@link Multiline} for longer ones.
final class PipedMessages implements MessageSource {
    private final BufferedReader lines;

    PipedMessages(InputStream in) {
        // The decoder of a charset's name would replace what is not UTF-8.
        lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
    }

    /// @throws PanamoeException when the input is not UTF-8 or ends within a block
    @Override
    public Optional<String> next() throws IOException {
        try {
            return read();
        } catch (CharacterCodingException e) {
            throw new PanamoeException("standard input is not UTF-8; convert the text to UTF-8 first", e);
        }
    }

    private Optional<String> read() throws IOException {
        String line = lines.readLine();
        if (line == null) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder(line);
        while (true) {
            boolean block = Multiline.inBlock(text.toString());
            if (!block && !Multiline.continues(text.toString())) {
                return Optional.of(Multiline.unquoted(text.toString()));
            }
            line = lines.readLine();
            if (line == null && block) {
                throw new PanamoeException("standard input ends within a message that " + Multiline.QUOTE
                        + " began; end it with " + Multiline.QUOTE);
            }
            if (!block) {
                text.setLength(text.length() - 1);
            }
            if (line == null) {
                return Optional.of(text.toString());
            }
            text.append('\n').append(line);
        }
    }

    /// Standard input is not ours to close.
    @Override
    public void close() {}
}
