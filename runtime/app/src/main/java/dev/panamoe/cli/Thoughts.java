package dev.panamoe.cli;

/// What is shown of a model's reasoning.
enum Thoughts {
    /// All of it.
    SHOW,
    /// One line that says how long it is.
    FOLD,
    /// Nothing.
    HIDE
}
