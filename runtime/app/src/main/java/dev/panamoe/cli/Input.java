package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Files and standard input, whole.
final class Input {
    private static final String STDIN = "-";

    private Input() {}

    /// A file's bytes, or standard input's for `-`.
    ///
    /// @throws PanamoeException when there is no such file
    static byte[] read(String file, InputStream stdin) throws IOException {
        if (file.equals(STDIN)) {
            return stdin.readAllBytes();
        }
        Path path = Path.of(file);
        if (Files.isDirectory(path)) {
            throw new PanamoeException(file + ": this is a directory, expected a file");
        }
        if (!Files.exists(path)) {
            throw new PanamoeException(file + ": there is no such file");
        }
        return Files.readAllBytes(path);
    }

    /// The text of a file, or standard input's for `-`.
    ///
    /// @throws PanamoeException when there is no such file, or it is not UTF-8
    static String text(String file, InputStream stdin) throws IOException {
        return text(read(file, stdin), name(file));
    }

    /// @param name for messages
    /// @throws PanamoeException when the bytes are not UTF-8
    static String text(byte[] utf8, String name) {
        ByteBuffer bytes = ByteBuffer.wrap(utf8);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new PanamoeException(
                    name + ": byte " + bytes.position() + " is not UTF-8; convert the text to UTF-8 first", e);
        }
    }

    static String name(String file) {
        return file.equals(STDIN) ? "standard input" : file;
    }
}
