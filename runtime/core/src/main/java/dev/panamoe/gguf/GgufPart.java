package dev.panamoe.gguf;

import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// One file, parsed and checked.
///
/// @param file its name, for messages
/// @param version of the format, 2 or 3
/// @param metadata its keys
/// @param tensors in listing order
/// @param bytes all of it
/// @param unusedBytes bytes after the last tensor and its padding, which nothing refers to
record GgufPart(
        String file, int version, Metadata metadata, List<TensorView> tensors, MemorySegment bytes, long unusedBytes) {}
