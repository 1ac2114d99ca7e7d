package dev.panamoe.spi;

/// Which model is uploaded, for what a device keeps of it beyond this process.
///
/// @param name of the file, for people
/// @param key says of two files whether they are the same, unchanged: paths, sizes and times of change; empty for a
///     model that is no file of its own
/// @param bytes of all tensors
public record ModelIdentity(String name, String key, long bytes) {}
