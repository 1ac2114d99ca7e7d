package dev.panamoe.arch;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.ModelSpec;

/// A model family: how its metadata becomes a {@link ModelSpec}.
interface Architecture {
    /// `general.architecture`.
    String name();

    /// Which models these are, in a few words for the README.
    String description();

    /// @throws dev.panamoe.PanamoeException when a key is missing or out of range
    ModelSpec read(GgufFile file);
}
