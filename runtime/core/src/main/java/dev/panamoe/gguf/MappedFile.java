package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// A file mapped read-only, with its descriptor kept: the descriptor stays with the bytes that are mapped even when
/// another file takes over the name, so its size tells whether the map is still backed.
///
/// A `RandomAccessFile` and not a `FileChannel`, because a channel is closed when an interrupted thread asks for
/// its size.
///
/// @param name file name for messages
/// @param identity path, size and time of change when it was mapped; empty when it changed meanwhile or they are not
///     known
/// @param bytes the whole file
record MappedFile(Path path, String name, String identity, RandomAccessFile descriptor, MemorySegment bytes)
        implements AutoCloseable {
    /// Maps a file for the lifetime of `arena`.
    ///
    /// @throws PanamoeException when there is no such file or it cannot be mapped
    static MappedFile open(Path path, Arena arena) {
        String shown = Printable.escape(path.toString(), 1000);
        check(path.getFileSystem().equals(FileSystems.getDefault()), shown, "only files on disk can be mapped");
        check(Files.exists(path), shown, "there is no such file");
        check(!Files.isDirectory(path), shown, "this is a directory; give the path of a .gguf file in it");
        check(Files.isRegularFile(path), shown, "this is no regular file; only files on disk can be mapped");
        check(Files.isReadable(path), shown, "the file may not be read; check its permissions");
        String name = Printable.escape(path.getFileName().toString());
        RandomAccessFile file = null;
        try {
            String before = identity(path);
            file = new RandomAccessFile(path.toFile(), "r");
            long size = file.length();
            // an empty file cannot be mapped; the parser has the message for it
            MemorySegment bytes = size == 0
                    ? MemorySegment.ofArray(new byte[0])
                    : file.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            String identity = before.equals(identity(path)) ? before : "";
            return new MappedFile(path, name, identity, file, bytes);
        } catch (IOException | RuntimeException e) {
            closeAfterFailure(file, e);
            throw new PanamoeException(shown + ": the file cannot be opened: " + Printable.escape(e.toString()), e);
        }
    }

    private static String identity(Path path) {
        try {
            BasicFileAttributes facts = Files.readAttributes(path, BasicFileAttributes.class);
            return path.toRealPath() + "\n" + facts.size() + " " + facts.lastModifiedTime() + " " + facts.fileKey();
        } catch (IOException e) {
            return "";
        }
    }

    private static void closeAfterFailure(@Nullable RandomAccessFile file, Exception failure) {
        if (file != null) {
            try {
                file.close();
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }

    private static void check(boolean ok, String file, String message) {
        if (!ok) {
            throw new PanamoeException(file + ": " + message);
        }
    }

    /// Fails when the file has no longer the size that was mapped.
    void checkUnchanged() {
        long now;
        try {
            now = descriptor.length();
        } catch (IOException e) {
            throw new PanamoeException(
                    name + ": the file cannot be read any more: " + Printable.escape(e.toString()), e);
        }
        if (now != bytes.byteSize()) {
            throw new PanamoeException(name + ": the file changed while it was open, from " + bytes.byteSize() + " to "
                    + now + " bytes; leave it alone while a model runs, and load it again");
        }
    }

    /// Gives back the descriptor; the map goes with its arena.
    @Override
    public void close() throws IOException {
        descriptor.close();
    }
}
