package dev.panamoe.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.jline.reader.impl.history.DefaultHistory;

/// What was typed in earlier conversations, for the arrow keys. Nobody loses an answer because it cannot be kept.
final class InputHistory extends DefaultHistory {
    private static final boolean POSIX =
            Path.of("").getFileSystem().supportedFileAttributeViews().contains("posix");

    /// The file that keeps it, made if need be so that only its owner can read it.
    ///
    /// @param environment `XDG_STATE_HOME`, or `HOME`, says where
    /// @return empty where there can be no such file
    static Optional<Path> file(Map<String, String> environment) {
        try {
            String state = environment.getOrDefault("XDG_STATE_HOME", "");
            String home = environment.getOrDefault("HOME", System.getProperty("user.home", ""));
            // The XDG specification: a relative path is to be ignored.
            Path base =
                    Path.of(state).isAbsolute() ? Path.of(state) : Path.of(home).resolve(".local/state");
            if (!base.isAbsolute()) {
                return Optional.empty();
            }
            Files.createDirectories(base.resolve("panamoe"), only("rwx------"));
            Path file = base.resolve("panamoe").resolve("history");
            try {
                Files.createFile(file, only("rw-------"));
            } catch (FileAlreadyExistsException e) {
                // An earlier conversation made it.
            }
            return Files.isRegularFile(file) && Files.isWritable(file) ? Optional.of(file) : Optional.empty();
        } catch (IOException | InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static FileAttribute<?>[] only(String permissions) {
        return POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    @Override
    public void load() {
        try {
            super.load();
        } catch (IOException | IllegalArgumentException e) {
            // Not ours, or damaged: the conversation begins without.
        }
    }

    @Override
    public void save() {
        try {
            super.save();
        } catch (IOException e) {
            // The disk is full, or the file was taken away.
        }
    }
}
