package dev.panamoe.template;

/// Python's `None`.
enum None {
    NONE
}
