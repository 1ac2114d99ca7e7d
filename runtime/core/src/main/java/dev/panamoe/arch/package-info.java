/// From GGUF metadata to a `ModelSpec`: one file per architecture. Begin at `Architectures`.
package dev.panamoe.arch;
