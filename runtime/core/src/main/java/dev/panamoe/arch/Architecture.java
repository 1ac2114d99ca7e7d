package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.ModelSpec;

/// A model family: how its metadata becomes a {@link ModelSpec}.
interface Architecture {
    /// `general.architecture`.
    String name();

    /// One line for people: which published models this runs.
    String description();

    /// @throws dev.panamoe.PanamoeException when a key is missing or out of range
    ModelSpec read(GgufFile file);
}
