package dev.panamoe.grammar;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/// Tokenizers of real files.
final class Vocabularies {
    private Vocabularies() {}

    /// The vocabulary of Gemma, 262,144 tokens.
    static Tokenizer large() {
        Path file = Path.of(System.getProperty("panamoe.testdata"), "tokenizers/gemma3/vocab.gguf.gz");
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file), 1 << 16)) {
            return of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The embedded demo model's, 2,048 tokens.
    static Tokenizer small() {
        try (InputStream in = Vocabularies.class.getResourceAsStream("/dev/panamoe/models/tiny-gemma4-moe-q8_0.gguf")) {
            if (in == null) {
                throw new IllegalStateException("no demo model");
            }
            return of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Tokenizer of(byte[] bytes) {
        try (GgufFile gguf = GgufFile.ofMemory("vocabulary", MemorySegment.ofArray(bytes))) {
            return Tokenizer.of(gguf.metadata());
        }
    }
}
