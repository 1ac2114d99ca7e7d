/// From GGUF metadata to a `ModelSpec`: one file per architecture, and `PlainDecoder` for what the plain ones share.
/// Begin at `Architectures`.
package dev.panamoe.arch;
