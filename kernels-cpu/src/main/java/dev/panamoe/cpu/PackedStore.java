package dev.panamoe.cpu;

import dev.panamoe.PanamoeException;
import dev.panamoe.UserCache;
import dev.panamoe.ffm.LargeMemory;
import dev.panamoe.spi.ModelIdentity;
import dev.panamoe.tensor.LittleEndian;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
/// machine of the same version. A file that does not fit the model, or whose header or index is damaged, is written
/// anew; the weights themselves are as safe as those of the model file, which nobody checks either.
///
/// Who writes a file holds the lock of another that is never renamed, `.lock`; whoever does not get it computes from
/// memory. The lock of the system is one of the process, so a process keeps in mind itself what it writes.
final class PackedStore implements AutoCloseable {
    /// Changes with anything in `docs/packed-weights.md`.
    static final long LAYOUT_VERSION = 1;

    /// Below this many bytes packing is quicker than looking for a file.
    static final long KEPT_FROM = 64L << 20;

    private static final long MAGIC = 0x3154_4b50_4e41_50L; // "PANPKT1"
    private static final int PAGE = 4096;

    /// Numbers of at most 18 digits fit 64 bits.
    private static final Pattern INDEX_LINE = Pattern.compile("(\\d{1,18}) (\\d{1,18}) (.*)");

    private static final int DIGEST_AT = 32;
    private static final int DIGEST_BYTES = 32;
    private static final long MAX_INDEX_BYTES = 64L << 20;

    /// Bytes of one write.
    private static final long PIECE = 64L << 20;

    /// The files that this process is writing.
    private static final Set<Path> WRITTEN_HERE = ConcurrentHashMap.newKeySet();

    private record Place(long offset, long bytes) {}

    private final Arena arena;
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final ModelIdentity model;
    private final Optional<Path> target;

    /// Whether {@link #WRITTEN_HERE} has the target because of this store.
    private boolean owner;

    private @Nullable FileChannel lock;

    /// Whether the file that was found lacked a weight.
    private boolean incomplete;

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
        if (model.key().isEmpty() || model.bytes() < KEPT_FROM || !folder.isAbsolute()) {
            return inMemory(arena);
        }
        Path file = folder.resolve(fileName(model));
        PackedStore store = new PackedStore(model, Optional.of(file), arena);
        try {
            if (store.read(file)) {
                return store;
            }
            Files.createDirectories(folder);
            if (WRITTEN_HERE.add(file)) {
                if (store.begin(file)) {
                    return store;
                }
                store.release();
            }
        } catch (IOException | SecurityException e) {
            store.close();
        }
        // Another process may have finished the file in between.
        return store.found == null ? inMemory(arena) : store;
    }

    /// Begins to write the file, whose name this process has reserved.
    ///
    /// @return false when somebody else writes it, or it is there by now, or there is no room
    private boolean begin(Path file) throws IOException {
        owner = true;
        lock = FileChannel.open(sibling(file, ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (lock.tryLock() == null || read(file)) {
            return false;
        }
        channel = FileChannel.open(
                sibling(file, ".partial"),
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        // Packed weights are at most some percent larger than those of the model.
        if (Files.getFileStore(file.getParent()).getUsableSpace() < model.bytes() + model.bytes() / 8) {
            abandon();
            return false;
        }
        return true;
    }

    /// Lets others write the file.
    private void release() {
        try {
            if (lock != null) {
                lock.close();
            }
        } catch (IOException e) {
            // Then the lock goes with the process.
        }
        lock = null;
        if (owner) {
            WRITTEN_HERE.remove(target.orElseThrow());
            owner = false;
        }
    }

    /// Where packed models are kept: the user's folder for caches.
    ///
    /// @param environment `XDG_CACHE_HOME`, or `HOME`, says where
    /// @return a relative path where the environment names no folder, which {@link #open} takes for none
    static Path folder(Map<String, String> environment) {
        return UserCache.folder(environment, "packed").orElse(Path.of(""));
    }

    private static Path sibling(Path file, String ending) {
        return file.resolveSibling(file.getFileName() + ending);
    }

    private static String fileName(ModelIdentity model) {
        String name = model.name().replaceAll("[^A-Za-z0-9._-]", "_");
        String shown = name.length() > 80 ? name.substring(0, 80) : name;
        byte[] key = UserCache.digest(model.key().getBytes(StandardCharsets.UTF_8));
        return shown + "-" + HexFormat.of().formatHex(key, 0, 8) + ".packed";
    }

    /// Whether the file holds this model whole; then its weights are mapped.
    private boolean read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return false;
        }
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
            if (!MessageDigest.isEqual(
                    stored, UserCache.digest(index, model.key().getBytes(StandardCharsets.UTF_8)))) {
                return false;
            }
            if (!readIndex(new String(index, StandardCharsets.UTF_8), indexAt)) {
                places.clear();
                return false;
            }
            found = all;
            return true;
        }
    }

    private boolean readIndex(String index, long limit) {
        for (String line : index.lines().toList()) {
            Matcher entry = INDEX_LINE.matcher(line);
            if (!entry.matches()) {
                return false;
            }
            long offset = Long.parseLong(entry.group(1));
            long bytes = Long.parseLong(entry.group(2));
            if (offset < PAGE || offset > limit - bytes) {
                return false;
            }
            places.put(entry.group(3), new Place(offset, bytes));
        }
        return true;
    }

    /// A weight that the file holds already.
    ///
    /// @param key says which weight: the same at every start
    Optional<MemorySegment> find(String key, long bytes) {
        Place place = places.get(key);
        if (found == null) {
            return Optional.empty();
        }
        if (place == null || place.bytes() != bytes) {
            incomplete = true;
            return Optional.empty();
        }
        return Optional.of(found.asSlice(place.offset(), bytes));
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

    /// Finishes the file, if one is written; one that was found and lacks a weight is deleted, so that the next start
    /// writes it anew.
    ///
    /// @return it, when it was written or served every weight
    /// @throws PanamoeException when what was written may not be on disk as it was written
    Optional<Path> finish() {
        if (found != null) {
            if (incomplete) {
                delete(target.orElseThrow());
                return Optional.empty();
            }
            return target;
        }
        if (channel == null) {
            return Optional.empty();
        }
        Path file = target.orElseThrow();
        try {
            writeIndex(channel);
        } catch (IOException e) {
            abandon();
            return Optional.empty();
        }
        try {
            channel.force(true);
        } catch (IOException e) {
            abandon();
            throw new PanamoeException(
                    file + ": re-packed weights could not be written: " + e.getMessage()
                            + "; use --no-pack-cache, or XDG_CACHE_HOME for another folder",
                    e);
        }
        try {
            move(sibling(file, ".partial"), file);
            channel.close();
            channel = null;
            return target;
        } catch (IOException e) {
            return Optional.empty();
        } finally {
            abandon();
            release();
        }
    }

    private void writeIndex(FileChannel out) throws IOException {
        StringBuilder lines = new StringBuilder();
        places.forEach((key, place) -> lines.append(place.offset())
                .append(' ')
                .append(place.bytes())
                .append(' ')
                .append(key)
                .append('\n'));
        byte[] index = lines.toString().getBytes(StandardCharsets.UTF_8);
        MemorySegment header = MemorySegment.ofArray(new byte[PAGE]);
        header.set(LittleEndian.I64, 0, MAGIC);
        header.set(LittleEndian.I64, 8, LAYOUT_VERSION);
        header.set(LittleEndian.I64, 16, end);
        header.set(LittleEndian.I64, 24, index.length);
        byte[] digest = UserCache.digest(index, model.key().getBytes(StandardCharsets.UTF_8));
        MemorySegment.copy(digest, 0, header, LittleEndian.I8, DIGEST_AT, DIGEST_BYTES);
        write(out, MemorySegment.ofArray(index), end);
        write(out, header, 0);
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

    /// Gives up what is being written. Weights that are mapped already stay so; the file has no name any more.
    private void abandon() {
        if (channel != null) {
            delete(sibling(target.orElseThrow(), ".partial"));
            try {
                channel.close();
            } catch (IOException e) {
                // It has no name any more.
            }
            channel = null;
        }
        freeStaging();
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // It is written over at the next start.
        }
    }

    private void freeStaging() {
        if (staging != null) {
            staging.arena().close();
            staging = null;
        }
    }

    /// Gives up a file that was not finished. The weights' memory goes with its arena.
    @Override
    public void close() {
        abandon();
        release();
    }
}
