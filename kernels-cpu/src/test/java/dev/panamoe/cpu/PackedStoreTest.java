package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.UserCache;
import dev.panamoe.spi.ModelIdentity;
import dev.panamoe.tensor.LittleEndian;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackedStoreTest {
    private static final ModelIdentity MODEL = new ModelIdentity("a model.gguf", "/a/model.gguf 7", 100L << 20);

    @TempDir
    Path folder;

    private static void fill(PackedStore store, String key, int bytes, byte value) {
        MemorySegment room = store.room(bytes);
        assertThat(room.toArray(LittleEndian.I8))
                .as("memory to pack into is zeroed")
                .containsOnly(0);
        room.fill(value);
        MemorySegment kept = store.keep(key, room);
        assertThat(kept.toArray(LittleEndian.I8)).hasSize(bytes).containsOnly(value);
        assertThat(kept.address() % 64).isZero();
    }

    private Optional<Path> write(ModelIdentity model) {
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(model, folder, arena)) {
            fill(store, "Q4_0 [3] first weight", 5000, (byte) 1);
            fill(store, "second", 64, (byte) 2);
            return store.finish();
        }
    }

    private List<Path> files() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> !f.toString().endsWith(".lock")).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theNextStartFindsWhatWasPacked() {
        Path file = write(MODEL).orElseThrow();
        assertThat(file.getFileName().toString()).startsWith("a_model.gguf-").endsWith(".packed");
        assertThat(files()).containsExactly(file);
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, folder, arena)) {
            assertThat(store.find("Q4_0 [3] first weight", 5000).orElseThrow().toArray(LittleEndian.I8))
                    .containsOnly(1);
            assertThat(store.find("second", 64).orElseThrow().toArray(LittleEndian.I8))
                    .containsOnly(2);
            assertThat(store.finish()).contains(file);
        }
    }

    /// Another model, a changed one, another version and every damage: packed anew, and the file is good again.
    @Test
    void whatDoesNotFitIsWrittenAnew() throws IOException {
        Path file = write(MODEL).orElseThrow();
        ModelIdentity changed = new ModelIdentity(MODEL.name(), "/a/model.gguf 8", MODEL.bytes());
        assertThat(write(changed)).isPresent().isNotEqualTo(Optional.of(file));
        long size = Files.size(file);
        for (long at : new long[] {0, 8, 16, 24, 40, size - 1}) {
            try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
                bytes.seek(at);
                int old = bytes.read();
                bytes.seek(at);
                bytes.write(old ^ 1);
            }
            assertMissing("byte " + at + " changed");
            assertThat(write(MODEL)).contains(file);
        }
        for (long length : new long[] {0, 100, 4096, size - 1}) {
            try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
                bytes.setLength(length);
            }
            assertMissing("cut to " + length);
            assertThat(write(MODEL)).contains(file);
        }
    }

    /// A file of ours with another index, as a forger or an older program would leave it.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                "1",
                "x 64 second",
                "0 64 second",
                "4096 -64 second",
                "999999999999999999 64 second",
                "99999999999999999999 64 second"
            })
    void anIndexThatLeadsOutOfTheFile(String line) throws IOException {
        Path file = write(MODEL).orElseThrow();
        byte[] index = (line + "\n").getBytes(StandardCharsets.UTF_8);
        byte[] bytes = Arrays.copyOf(Files.readAllBytes(file), 8192 + index.length);
        MemorySegment all = MemorySegment.ofArray(bytes);
        all.set(LittleEndian.I64, 16, 8192);
        all.set(LittleEndian.I64, 24, index.length);
        MemorySegment.copy(index, 0, all, LittleEndian.I8, 8192, index.length);
        byte[] digest = UserCache.digest(index, MODEL.key().getBytes(StandardCharsets.UTF_8));
        MemorySegment.copy(digest, 0, all, LittleEndian.I8, 32, digest.length);
        Files.write(file, bytes);
        assertMissing(line);
        assertThat(write(MODEL)).contains(file);
    }

    private void assertMissing(String what) {
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, folder, arena)) {
            assertThat(store.find("second", 64)).as(what).isEmpty();
        }
    }

    /// A file that lacks a weight, as one that another way to compute has written, does not stay in the way.
    @Test
    void anIncompleteFileIsWrittenAnew() {
        Path file = write(MODEL).orElseThrow();
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, folder, arena)) {
            assertThat(store.find("second", 128)).as("of another size").isEmpty();
            assertThat(store.find("third", 64)).isEmpty();
            MemorySegment room = store.room(64).fill((byte) 3);
            assertThat(store.keep("third", room).toArray(LittleEndian.I8)).containsOnly(3);
            assertThat(store.find("second", 64).orElseThrow().toArray(LittleEndian.I8))
                    .containsOnly(2);
            assertThat(store.finish()).isEmpty();
        }
        assertThat(files()).isEmpty();
        assertThat(write(MODEL)).contains(file);
    }

    /// The system's lock is of one process, and closing any channel to a file gives it up.
    @Test
    void anotherProcessWaitsForNobodyAndHarmsNobody() throws IOException, InterruptedException {
        try (Arena arena = Arena.ofShared();
                PackedStore first = PackedStore.open(MODEL, folder, arena);
                PackedStore second = PackedStore.open(MODEL, folder, arena)) {
            fill(first, "first", 100, (byte) 1);
            fill(second, "first", 100, (byte) 2);
            Process other = new ProcessBuilder(
                            System.getProperty("java.home") + "/bin/java",
                            "--add-modules",
                            "jdk.incubator.vector",
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            OtherProcess.class.getName(),
                            folder.toString())
                    .redirectErrorStream(true)
                    .start();
            String out = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(other.waitFor()).as(out).isZero();
            assertThat(out).endsWith("in memory\n");
            assertThat(first.finish()).isPresent();
        }
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, folder, arena)) {
            assertThat(store.find("first", 100).orElseThrow().toArray(LittleEndian.I8))
                    .containsOnly(1);
        }
    }

    static final class OtherProcess {
        private OtherProcess() {}

        public static void main(String[] args) {
            try (Arena arena = Arena.ofShared();
                    PackedStore store = PackedStore.open(MODEL, Path.of(args[0]), arena)) {
                fill(store, "first", 100, (byte) 3);
                System.out.println(store.finish().isPresent() ? "in a file" : "in memory");
            }
        }
    }

    @Test
    void anUnfinishedFileLeavesNothing() {
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, folder, arena)) {
            fill(store, "first", 100, (byte) 1);
            assertThat(files()).hasSize(1);
        }
        assertThat(files()).isEmpty();
        assertMissing("never finished");
    }

    @Test
    void smallAndEmbeddedModelsStayInMemory() {
        for (ModelIdentity model : List.of(
                new ModelIdentity("small", "key", PackedStore.KEPT_FROM - 1),
                new ModelIdentity("demo", "", 1L << 40))) {
            assertThat(write(model)).isEmpty();
        }
        // No disk has that much room.
        assertThat(write(new ModelIdentity("huge", "key", 1L << 60))).isEmpty();
        assertThat(files()).isEmpty();
    }

    @Test
    void aFolderThatCannotBeMadeIsNoFault() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, file.resolve("below"), arena)) {
            fill(store, "first", 100, (byte) 1);
            assertThat(store.finish()).isEmpty();
        }
    }

    @Test
    void theFolderIsTheUsersCache() {
        assertThat(PackedStore.folder(Map.of("XDG_CACHE_HOME", "/c", "HOME", "/h")))
                .isEqualTo(Path.of("/c/panamoe/packed"));
        assertThat(PackedStore.folder(Map.of("XDG_CACHE_HOME", "relative", "HOME", "/h")))
                .isEqualTo(Path.of("/h/.cache/panamoe/packed"));
        assertThat(PackedStore.folder(Map.of("HOME", "")).isAbsolute()).isFalse();
        assertThat(PackedStore.folder(Map.of("HOME", "\0")).isAbsolute()).isFalse();
        try (Arena arena = Arena.ofShared();
                PackedStore store = PackedStore.open(MODEL, Path.of("relative"), arena)) {
            fill(store, "first", 100, (byte) 1);
            assertThat(store.finish()).isEmpty();
        }
    }
}
