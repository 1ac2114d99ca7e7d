package dev.panamoe.tokenizer;

import dev.panamoe.gguf.GgufFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The recorded tokenisations below `tests/data`, and tokenizers of the files they belong to.
final class Goldens {
    private static final Path DATA = Path.of(System.getProperty("panamoe.testdata"));
    private static final JsonMapper JSON = new JsonMapper();

    private Goldens() {}

    static Path file(String path) {
        return DATA.resolve(path);
    }

    static JsonNode json(String path) {
        return JSON.readTree(file(path));
    }

    static JsonNode jsonLine(String line) {
        return JSON.readTree(line);
    }

    static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    static Tokenizer ofFile(Path file) {
        try (GgufFile gguf = GgufFile.open(file)) {
            return Tokenizer.of(gguf.metadata());
        }
    }

    /// The folders of small models that have goldens.
    static List<String> fixtureFolders() {
        try (Stream<Path> folders = Files.list(file("fixtures"))) {
            return folders.filter(folder -> Files.exists(folder.resolve("golden.json")))
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The tokenizer of a fixture, which is the same in all variants of the model.
    static Tokenizer ofFixture(String folder) {
        return StreamSupport.stream(
                        json("fixtures/" + folder + "/golden.json")
                                .get("variants")
                                .spliterator(),
                        false)
                .map(variant ->
                        file("fixtures/" + folder + "/" + variant.get("model").stringValue()))
                .filter(Files::exists)
                .findFirst()
                .map(Goldens::ofFile)
                .orElseThrow(() -> new IllegalStateException("no model in " + folder));
    }

    /// One of the vocabularies of published models, `gemma3`, `deepseek-v3` or `qwen3`.
    static Tokenizer published(String name) {
        try (InputStream in =
                new GZIPInputStream(Files.newInputStream(file("tokenizers/" + name + "/vocab.gguf.gz")), 1 << 16)) {
            return ofBytes(name, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The embedded demo model `tiny-gemma4-moe` or `tiny-deepseek-r1`.
    static Tokenizer demo(String name) {
        String resource = "/dev/panamoe/models/" + name + "-q8_0.gguf";
        try (InputStream in = Goldens.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("no resource " + resource);
            }
            return ofBytes(name, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Tokenizer ofBytes(String name, byte[] bytes) {
        try (GgufFile gguf = GgufFile.ofMemory(name, MemorySegment.ofArray(bytes))) {
            return Tokenizer.of(gguf.metadata());
        }
    }
}
