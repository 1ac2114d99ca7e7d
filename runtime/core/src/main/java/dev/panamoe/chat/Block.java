package dev.panamoe.chat;

import java.util.Arrays;

/// The text of a call as far as it has come. Tokens that structure it stand in the text by name, and it is remembered
/// where, so that the same characters written as ordinary text are something else.
final class Block {
    private final StringBuilder text = new StringBuilder();
    private int[] starts = new int[8]; // of marks, ascending
    private int[] ends = new int[8];
    private int[] tokens = new int[8];
    private int marks;

    void append(CharSequence piece) {
        text.append(piece);
    }

    void mark(int token, String name) {
        if (marks == starts.length) {
            starts = Arrays.copyOf(starts, 2 * marks);
            ends = Arrays.copyOf(ends, 2 * marks);
            tokens = Arrays.copyOf(tokens, 2 * marks);
        }
        starts[marks] = text.length();
        tokens[marks] = token;
        text.append(name);
        ends[marks++] = text.length();
    }

    int length() {
        return text.length();
    }

    char charAt(int at) {
        return text.charAt(at);
    }

    String substring(int from, int to) {
        return text.substring(from, to);
    }

    /// Everything, marks by name.
    String raw() {
        return text.toString();
    }

    /// What stands behind the mark that begins it.
    int bodyStart() {
        return marks > 0 && starts[0] == 0 ? ends[0] : 0;
    }

    /// Where the mark that closes it stands, or the end.
    ///
    /// @param close its token
    int bodyEnd(int close) {
        return marks > 0 && tokens[marks - 1] == close && ends[marks - 1] == text.length()
                ? starts[marks - 1]
                : text.length();
    }

    /// What stands between the marks that begin and close it, without white space around.
    ///
    /// @param close the token of the latter
    String body(int close) {
        int from = bodyStart();
        return text.substring(from, Math.max(from, bodyEnd(close))).strip();
    }

    /// The number of the first mark at or behind a place; {@link #marks} if there is none.
    int markFrom(int at) {
        int found = Arrays.binarySearch(starts, 0, marks, at);
        return found >= 0 ? found : -found - 1;
    }

    int marks() {
        return marks;
    }

    int start(int mark) {
        return starts[mark];
    }

    int end(int mark) {
        return ends[mark];
    }

    int token(int mark) {
        return tokens[mark];
    }
}
