package dev.panamoe.cpu;

import dev.panamoe.ffm.LargeMemory;
import dev.panamoe.spi.ModelIdentity;
import dev.panamoe.tensor.LittleEndian;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where packed weights lie: in memory, or in a file that is mapped, so that the next start need not pack again.
///
/// A file is written under another name and takes its own only when it is whole and on disk. It holds a header of
/// {@link #PAGE} bytes, the packed weights, and an index:
///
/// ```
/// byte 0         8          16           24            32
///      | magic    | version  | index at   | index bytes | SHA-256 of the index and the model's identity | zeros …
/// ```
///
/// The index has a line a weight, `offset bytes key`. The layout is one for all processors, so a file serves any
/// machine of the same version. A file that does not fit the model, or is damaged, is written anew.
final class PackedStore implements AutoCloseable {
    /// Changes with anything in `docs/packed-weights.md`.
    static final long LAYOUT_VERSION = 1;

    /// Below this many bytes packing is quicker than looking for a file.
    static final long KEPT_FROM = 64L << 20;

    private static final long MAGIC = 0x3154_4b50_4e41_50L; // "PANPKT1"
    private static final int PAGE = 4096;
    private static final int DIGEST_AT = 32;
    private static final int DIGEST_BYTES = 32;
    private static final long MAX_INDEX_BYTES = 64L << 20;

    /// Bytes of one write.
    private static final long PIECE = 64L << 20;

    private record Place(long offset, long bytes) {}

    private final Arena arena;
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final ModelIdentity model;
    private final Optional<Path> target;

    /// The whole file, when it was there already.
    private @Nullable MemorySegment found;

    /// What is written, when it was not.
    private @Nullable FileChannel channel;

    private long end = PAGE;

    /// Where weights are packed on their way to the file.
    private @Nullable Staging staging;

    private record Staging(Arena arena, MemorySegment memory) {
        // Closed by freeStaging().
        @SuppressWarnings("MustBeClosedChecker")
        static Staging of(long bytes) {
            Arena arena = Arena.ofShared();
            return new Staging(arena, LargeMemory.allocate(bytes, arena));
        }
    }

    private PackedStore(ModelIdentity model, Optional<Path> target, Arena arena) {
        this.model = model;
        this.target = target;
        this.arena = arena;
    }

    /// In memory only.
    static PackedStore inMemory(Arena arena) {
        return new PackedStore(new ModelIdentity("", "", 0), Optional.empty(), arena);
    }

    /// In a file of `folder`, unless the model is too small or there is no room.
    ///
    /// @param arena owns all memory of the weights
    static PackedStore open(ModelIdentity model, Path folder, Arena arena) {
        if (model.key().isEmpty() || model.bytes() < KEPT_FROM) {
            return inMemory(arena);
        }
        Path file = folder.resolve(fileName(model));
        PackedStore store = new PackedStore(model, Optional.of(file), arena);
        try {
            if (Files.isRegularFile(file) && store.read(file)) {
                return store;
            }
            Files.createDirectories(folder);
            // Packed weights are at most some percent larger than those of the model.
            if (Files.getFileStore(folder).getUsableSpace() < model.bytes() + model.bytes() / 8) {
                return inMemory(arena);
            }
            FileChannel partial = FileChannel.open(
                    partial(file), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!lock(partial)) {
                partial.close();
                return inMemory(arena);
            }
            partial.truncate(0);
            store.channel = partial;
            return store;
        } catch (IOException | SecurityException e) {
            return inMemory(arena);
        }
    }

    /// Whether nobody else, in this process or another, is writing the file.
    private static boolean lock(FileChannel partial) throws IOException {
        try {
            return partial.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /// Where packed models are kept: the user's folder for caches.
    ///
    /// @param environment `XDG_CACHE_HOME`, or `HOME`, says where
    static Path folder(Map<String, String> environment) {
        // The XDG specification: a relative path is to be ignored.
        Path cache = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
        Path home = Path.of(environment.getOrDefault("HOME", System.getProperty("user.home", "")));
        return (cache.isAbsolute() ? cache : home.resolve(".cache"))
                .resolve("panamoe")
                .resolve("packed");
    }

    private static Path partial(Path file) {
        return file.resolveSibling(file.getFileName() + ".partial");
    }

    private static String fileName(ModelIdentity model) {
        String name = model.name().replaceAll("[^A-Za-z0-9._-]", "_");
        String shown = name.length() > 80 ? name.substring(0, 80) : name;
        byte[] key = digest(model.key().getBytes(StandardCharsets.UTF_8));
        return shown + "-" + HexFormat.of().formatHex(key, 0, 8) + ".packed";
    }

    /// Whether the file holds this model whole; then its weights are mapped.
    private boolean read(Path file) throws IOException {
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = in.size();
            if (size < PAGE) {
                return false;
            }
            MemorySegment all = in.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            long indexAt = all.get(LittleEndian.I64, 16);
            long indexBytes = all.get(LittleEndian.I64, 24);
            if (all.get(LittleEndian.I64, 0) != MAGIC
                    || all.get(LittleEndian.I64, 8) != LAYOUT_VERSION
                    || indexAt < PAGE
                    || indexBytes < 0
                    || indexBytes > MAX_INDEX_BYTES
                    || indexAt + indexBytes != size) {
                return false;
            }
            byte[] index = all.asSlice(indexAt, indexBytes).toArray(LittleEndian.I8);
            byte[] stored = all.asSlice(DIGEST_AT, DIGEST_BYTES).toArray(LittleEndian.I8);
            if (!MessageDigest.isEqual(stored, digest(index, model.key().getBytes(StandardCharsets.UTF_8)))) {
                return false;
            }
            for (String line : new String(index, StandardCharsets.UTF_8).lines().toList()) {
                String[] parts = line.split(" ", 3);
                places.put(parts[2], new Place(Long.parseLong(parts[0]), Long.parseLong(parts[1])));
            }
            end = indexAt;
            found = all;
            return true;
        }
    }

    /// A weight that the file holds already.
    ///
    /// @param key says which weight: the same at every start
    Optional<MemorySegment> find(String key, long bytes) {
        Place place = places.get(key);
        return found != null && place != null && place.bytes() == bytes && place.offset() + bytes <= end
                ? Optional.of(found.asSlice(place.offset(), bytes))
                : Optional.empty();
    }

    /// Zeroed memory to pack a weight into, which then goes to {@link #keep}.
    ///
    /// @throws OutOfMemoryError when there is no room
    MemorySegment room(long bytes) {
        if (channel == null) {
            return LargeMemory.allocate(bytes, arena);
        }
        // One piece of memory serves all: what is packed lies in the file, whose pages the system can take back.
        Staging held = staging;
        if (held == null || held.memory().byteSize() < bytes) {
            freeStaging();
            held = Staging.of(bytes);
            staging = held;
        }
        return held.memory().asSlice(0, bytes).fill((byte) 0);
    }

    /// Where a weight lies from now on that was packed into {@link #room}.
    MemorySegment keep(String key, MemorySegment packed) {
        if (channel == null) {
            return packed;
        }
        long at = end;
        try {
            write(channel, packed, at);
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, at, packed.byteSize(), arena);
            places.put(key, new Place(at, packed.byteSize()));
            end = Math.addExact(at, packed.byteSize() + PAGE - 1) & -PAGE;
            return mapped;
        } catch (IOException e) {
            // A full disk, say: the rest goes to memory.
            MemorySegment memory =
                    LargeMemory.allocate(packed.byteSize(), arena).copyFrom(packed);
            abandon();
            return memory;
        }
    }

    /// Finishes the file, if one is written.
    ///
    /// @return it, when it was written or was there already
    Optional<Path> finish() {
        if (channel == null) {
            return found == null ? Optional.empty() : target;
        }
        Path file = target.orElseThrow();
        try (FileChannel out = channel) {
            StringBuilder lines = new StringBuilder();
            places.forEach((key, place) -> lines.append(place.offset())
                    .append(' ')
                    .append(place.bytes())
                    .append(' ')
                    .append(key)
                    .append('\n'));
            byte[] index = lines.toString().getBytes(StandardCharsets.UTF_8);
            MemorySegment h = MemorySegment.ofArray(new byte[PAGE]);
            h.set(LittleEndian.I64, 0, MAGIC);
            h.set(LittleEndian.I64, 8, LAYOUT_VERSION);
            h.set(LittleEndian.I64, 16, end);
            h.set(LittleEndian.I64, 24, index.length);
            MemorySegment.copy(
                    digest(index, model.key().getBytes(StandardCharsets.UTF_8)),
                    0,
                    h,
                    LittleEndian.I8,
                    DIGEST_AT,
                    DIGEST_BYTES);
            write(out, MemorySegment.ofArray(index), end);
            write(out, h, 0);
            out.force(true);
            move(partial(file), file);
            return target;
        } catch (IOException e) {
            abandon();
            return Optional.empty();
        } finally {
            channel = null;
            freeStaging();
        }
    }

    private static void write(FileChannel out, MemorySegment bytes, long at) throws IOException {
        for (long done = 0; done < bytes.byteSize(); ) {
            long piece = Math.min(PIECE, bytes.byteSize() - done);
            done += out.write(bytes.asSlice(done, piece).asByteBuffer(), at + done);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /// Weights that are mapped already stay so; the file has no name any more.
    private void abandon() {
        try {
            if (channel != null) {
                channel.close();
            }
            if (target.isPresent()) {
                Files.deleteIfExists(partial(target.get()));
            }
        } catch (IOException e) {
            // The next start writes it anew.
        }
        channel = null;
        freeStaging();
    }

    private void freeStaging() {
        if (staging != null) {
            staging.arena().close();
            staging = null;
        }
    }

    private static byte[] digest(byte[]... parts) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                sha.update(part);
            }
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    /// Gives up a file that was not finished. The weights' memory goes with its arena.
    @Override
    public void close() {
        abandon();
    }
}
