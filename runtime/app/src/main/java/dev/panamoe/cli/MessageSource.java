package dev.panamoe.cli;

import java.io.IOException;
import java.util.Optional;

/// Where the messages and commands of a conversation come from.
interface MessageSource extends AutoCloseable {
    /// The next message or command, of one or more lines; empty at the end.
    Optional<String> next() throws IOException;

    @Override
    void close() throws IOException;
}
