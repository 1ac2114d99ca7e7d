package dev.panamoe.tokenizer;

/// What a name under `tokenizer.ggml.pre` stands for.
///
/// @param splitter cuts a text into the pieces within which tokens are merged
/// @param ignoreMerges whether a piece that is a token as a whole is that token, whatever the merges would give
/// @param addBos whether a prompt begins with the beginning-of-sequence token when the file does not say
record PreTokenizer(Splitter splitter, boolean ignoreMerges, boolean addBos) {
    static PreTokenizer of(Splitter splitter) {
        return new PreTokenizer(splitter, false, false);
    }
}
