package dev.panamoe.spi;

/// Is told how far loading is, from the thread that loads.
@FunctionalInterface
public interface LoadProgress {
    LoadProgress NONE = (done, total) -> {};

    /// @param done bytes of weights that are on the device
    /// @param total bytes of all
    void at(long done, long total);

    /// Is told what else takes seconds, once the weights are there.
    ///
    /// @param what a line for people
    default void doing(String what) {}

    /// Loading is over, or has failed.
    default void done() {}
}
