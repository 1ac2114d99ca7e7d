package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The demo models that come with the runtime: tiny, trained on synthetic text, there to show that everything works.
public final class EmbeddedModels {
    /// What the name of an embedded model begins with, where a file could stand too.
    public static final String PREFIX = "demo:";

    /// The one that runs when no model is named.
    public static final String DEFAULT = PREFIX + "gemma4";

    private static final Map<String, String> RESOURCES = new TreeMap<>(Map.of(
            PREFIX + "gemma4", "tiny-gemma4-moe-q8_0.gguf",
            PREFIX + "deepseek", "tiny-deepseek-r1-q8_0.gguf"));

    private EmbeddedModels() {}

    /// `demo:deepseek`, `demo:gemma4`.
    public static List<String> names() {
        return List.copyOf(RESOURCES.keySet());
    }

    /// Reads an embedded model into memory.
    ///
    /// @param arena owns the memory; must stay open as long as the file is used
    static GgufFile open(String name, Arena arena) {
        String resource = RESOURCES.get(name);
        if (resource == null) {
            throw new PanamoeException(
                    "there is no embedded model '" + name + "'; there are " + String.join(", ", names()));
        }
        try (InputStream in = EmbeddedModels.class.getResourceAsStream("/dev/panamoe/models/" + resource)) {
            if (in == null) {
                throw new PanamoeException(name + ": the embedded model is missing from the jar; build it again");
            }
            byte[] bytes = in.readAllBytes();
            MemorySegment memory = arena.allocate(bytes.length, 64);
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
            return GgufFile.ofMemory(name, memory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
