package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import java.util.OptionalInt;

/// How the hidden states of a text's tokens become one vector.
public enum Pooling {
    /// Their mean.
    MEAN,
    /// That of the first token.
    CLS,
    /// That of the last token, which alone has seen all of a text.
    LAST;

    /// What the file says under `ARCH.pooling_type`, by llama.cpp's numbers; {@link #LAST} when it says nothing or
    /// leaves it to the caller.
    ///
    /// @throws PanamoeException when the model ranks texts instead of embedding them, or the number is unknown
    static Pooling of(Metadata metadata, String architecture) {
        String key = architecture + ".pooling_type";
        OptionalInt type = metadata.findInt(key);
        return switch (type.orElse(0)) {
            case 0 -> LAST;
            case 1 -> MEAN;
            case 2 -> CLS;
            case 3 -> LAST;
            case 4 ->
                throw new PanamoeException(metadata.source() + ": " + key + " is 4 (rank): the model scores a text"
                        + " for a query and gives no embedding; use an embedding model, or name a pooling");
            default ->
                throw new PanamoeException(metadata.source() + ": " + key + " is " + type.orElse(0)
                        + ", expected 0 (none), 1 (mean), 2 (CLS) or 3 (last); name a pooling");
        };
    }
}
