package dev.panamoe.cli;

/// Numbers of things in words.
final class Count {
    private Count() {}

    /// `1 token`, `2 tokens`.
    static String of(int number, String thing) {
        return number + " " + thing + (number == 1 ? "" : "s");
    }
}
