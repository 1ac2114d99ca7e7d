package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.function.Function;

/// An opened model file: a path, or an embedded model by its name.
public final class ModelFile implements AutoCloseable {
    private final GgufFile file;
    private final Arena arena;

    private ModelFile(GgufFile file, Arena arena) {
        this.file = file;
        this.arena = arena;
    }

    /// @param model a GGUF file, or an embedded model such as `demo:gemma4`
    /// @throws PanamoeException when it is not a sound GGUF file
    public static ModelFile open(String model) {
        return open(model, GgufFile::open);
    }

    /// Opens what there is of a model, to look at it: see {@link GgufFile#inspect}.
    ///
    /// @param model a GGUF file, or an embedded model such as `demo:gemma4`
    /// @throws PanamoeException when not even that can be read
    public static ModelFile inspect(String model) {
        return open(model, GgufFile::inspect);
    }

    @SuppressWarnings("MustBeClosedChecker") // The arena lives as long as the file, whose close() ends it.
    private static ModelFile open(String model, Function<Path, GgufFile> reader) {
        if (model.isEmpty()) {
            throw new PanamoeException("the name of the model file is empty; give the path of a .gguf file");
        }
        Arena arena = Arena.ofShared();
        try {
            return new ModelFile(
                    model.startsWith(EmbeddedModels.PREFIX)
                            ? EmbeddedModels.open(model, arena)
                            : reader.apply(Path.of(model)),
                    arena);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    public GgufFile file() {
        return file;
    }

    @Override
    public void close() {
        file.close();
        arena.close();
    }
}
