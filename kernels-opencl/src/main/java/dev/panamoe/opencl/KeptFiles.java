package dev.panamoe.opencl;

import dev.panamoe.UserCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Files that only make the next start quicker: programs that a driver has compiled, and what was measured. A file
/// holds
///
/// ```
/// byte 0         8                  40                    72
///      | magic    | key              | SHA-256 of the rest | the rest
/// ```
///
/// The key is the SHA-256 of everything that the rest depends on. A file that is damaged, or of another key, is as good
/// as none. It is written under another name first; of processes that write the same at once the last one's stays.
///
/// Files of older sources and drivers are asked for by nobody. So a file's time of change is brought up to date when it
/// is used, and with each new file those go that were not used for long, and the longest unused ones of more than all
/// may take. Another process that misses one of them makes it anew.
///
/// May be used by many threads.
final class KeptFiles {
    /// `0`: keep nothing and use nothing that was kept.
    static final String VARIABLE = "PANAMOE_OPENCL_CACHE";

    static final Duration MAX_UNUSED = Duration.ofDays(30);
    static final long MAX_BYTES = 256L << 20;

    /// Files are written in less: it is of a process that has died.
    private static final Duration MAX_PARTIAL = Duration.ofDays(1);

    /// Not every start writes to every file.
    private static final Duration TOUCH_AFTER = Duration.ofDays(1);

    private static final byte[] MAGIC = "PANOCL1\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGEST_BYTES = 32;
    private static final int HEADER_BYTES = MAGIC.length + 2 * DIGEST_BYTES;
    private static final long MAX_FILE_BYTES = 64L << 20;

    private static final String SUFFIX = ".bin";
    private static final String PARTIAL = ".partial";

    private final Optional<Path> folder;
    private final long maxBytes;

    private record Kept(Path path, Instant used, long bytes) {}

    /// @param folder empty to keep nothing
    KeptFiles(Optional<Path> folder) {
        this(folder, MAX_BYTES);
    }

    /// @param maxBytes of all files
    KeptFiles(Optional<Path> folder, long maxBytes) {
        this.folder = folder;
        this.maxBytes = maxBytes;
    }

    /// The user's folder for caches.
    static Optional<Path> folder(Map<String, String> environment) {
        return "0".equals(environment.get(VARIABLE)) ? Optional.empty() : UserCache.folder(environment, "opencl");
    }

    /// A key of texts, in which two texts in a row are never others that read the same.
    static byte[] key(String... texts) {
        List<byte[]> parts = new ArrayList<>(List.of(MAGIC));
        for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            parts.add(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
            parts.add(bytes);
        }
        return UserCache.digest(parts.toArray(byte[][]::new));
    }

    /// What was kept for the key.
    ///
    /// @param name for the file, beside a part of the key
    /// @return empty when there is nothing, or it is damaged
    Optional<byte[]> get(String name, byte[] key) {
        return folder.map(f -> file(f, name, key)).flatMap(f -> read(f, key));
    }

    /// Keeps something if it can: a full disk, say, only makes the next start slower.
    ///
    /// @return whether it is kept
    boolean put(String name, byte[] key, byte[] rest) {
        if (folder.isEmpty() || rest.length > MAX_FILE_BYTES - HEADER_BYTES) {
            return false;
        }
        try {
            Path file = file(Files.createDirectories(folder.get()), name, key);
            Path partial = Files.createTempFile(folder.get(), "", PARTIAL);
            try {
                byte[] header = header(key, rest);
                byte[] all = Arrays.copyOf(header, header.length + rest.length);
                System.arraycopy(rest, 0, all, header.length, rest.length);
                Files.write(partial, all);
                move(partial, file);
            } finally {
                Files.deleteIfExists(partial);
            }
            tidy(folder.get(), file);
            return true;
        } catch (IOException | SecurityException e) {
            return false; // as above
        }
    }

    private static Path file(Path folder, String name, byte[] key) {
        return folder.resolve(
                name.replaceAll("[^A-Za-z0-9._-]", "_") + "-" + HexFormat.of().formatHex(key, 0, 8) + SUFFIX);
    }

    private static Optional<byte[]> read(Path file, byte[] key) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MAX_FILE_BYTES) {
                return Optional.empty();
            }
            byte[] all = Files.readAllBytes(file);
            if (all.length <= HEADER_BYTES) {
                return Optional.empty();
            }
            byte[] rest = Arrays.copyOfRange(all, HEADER_BYTES, all.length);
            if (!MessageDigest.isEqual(Arrays.copyOf(all, HEADER_BYTES), header(key, rest))) {
                return Optional.empty();
            }
            touch(file);
            return Optional.of(rest);
        } catch (IOException | SecurityException e) {
            return Optional.empty();
        }
    }

    private static void touch(Path file) {
        try {
            Instant now = Instant.now();
            if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(TOUCH_AFTER))) {
                Files.setLastModifiedTime(file, FileTime.from(now));
            }
        } catch (IOException e) {
            // A folder that may be read only. What was read is good.
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /// Deletes what was not used for long and what is too much.
    ///
    /// @param written the file that stays whatever the others are
    private void tidy(Path in, Path written) throws IOException {
        Instant now = Instant.now();
        long bytes = Files.size(written);
        for (Kept kept : kept(in)) {
            if (kept.path().toString().endsWith(PARTIAL)) {
                if (kept.used().isBefore(now.minus(MAX_PARTIAL))) {
                    delete(kept.path());
                }
            } else if (!kept.path().equals(written)) {
                bytes += kept.bytes();
                if (kept.used().isBefore(now.minus(MAX_UNUSED)) || bytes > maxBytes) {
                    delete(kept.path());
                }
            }
        }
    }

    /// The files of this class in a folder, those used last first.
    private static List<Kept> kept(Path in) throws IOException {
        List<Kept> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(in, "*{" + SUFFIX + "," + PARTIAL + "}")) {
            for (Path file : files) {
                try {
                    BasicFileAttributes facts = Files.readAttributes(file, BasicFileAttributes.class);
                    if (facts.isRegularFile()) {
                        all.add(new Kept(file, facts.lastModifiedTime().toInstant(), facts.size()));
                    }
                } catch (IOException e) {
                    // Another process has deleted it.
                }
            }
        }
        all.sort(Comparator.comparing(Kept::used).reversed());
        return all;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // Windows does not delete a file that is being read.
        }
    }

    static byte[] header(byte[] key, byte[] rest) {
        return ByteBuffer.allocate(HEADER_BYTES)
                .put(MAGIC)
                .put(key)
                .put(UserCache.digest(rest))
                .array();
    }
}
