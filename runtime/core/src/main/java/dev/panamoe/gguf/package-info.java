/// Reading GGUF: mapped, checked before use, split files. Begin at `GgufFile`.
package dev.panamoe.gguf;
