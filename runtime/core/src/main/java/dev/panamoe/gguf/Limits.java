package dev.panamoe.gguf;

/// Sizes beyond which a file is taken for damaged or hostile. Each is far above any real model; together they bound
/// the heap that opening a file takes, whatever its size.
final class Limits {
    /// Metadata keys; real files have about a hundred.
    static final int KEYS = 1 << 16;
    /// Bytes of a key.
    static final int KEY_BYTES = 1 << 16;
    /// Bytes of all keys together.
    static final int ALL_KEY_BYTES = 1 << 24;
    /// Bytes of a string; chat templates reach tens of kilobytes.
    static final int STRING_BYTES = 1 << 24;
    /// Entries of an array of strings, and of any array that is copied to the heap; the largest vocabulary with its
    /// merges has half a million.
    static final int HEAP_ARRAY = 1 << 22;
    /// Entries of any array.
    static final long ARRAY = 1L << 30;
    /// Tensors of all parts; a model with every expert on its own has fifty thousand.
    static final int TENSORS = 1 << 18;
    /// Bytes of a tensor name.
    static final int TENSOR_NAME_BYTES = 63;
    static final int DIMENSIONS = 4;
    static final int ALIGNMENT = 1 << 20;

    private Limits() {}
}
