package dev.panamoe.chat;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// How a family of models writes calls between two tokens.
///
/// @param open the token that begins a call
/// @param close the token that ends it
/// @param inside tokens that structure it
/// @param around tokens that stand around calls and results and are not shown
/// @param reader understands what is between
record CallSyntax(int open, int close, Set<Integer> inside, Set<Integer> around, Reader reader) {
    interface Reader {
        /// @param block from `open` to `close`, or to where it was broken off
        /// @param close the token that ends it
        /// @param tools by name
        /// @return the calls in it; none when it cannot be read as such
        List<Call> read(Block block, int close, Map<String, Tool> tools);
    }

    CallSyntax {
        inside = Set.copyOf(inside);
        around = Set.copyOf(around);
    }

    List<Call> read(Block block, Map<String, Tool> tools) {
        return reader.read(block, close, tools);
    }
}
