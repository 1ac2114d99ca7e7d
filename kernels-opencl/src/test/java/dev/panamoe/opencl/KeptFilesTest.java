package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeptFilesTest {
    private static final byte[] KEY = KeptFiles.key("source", "options");

    @TempDir
    Path folder;

    private KeptFiles files() {
        return new KeptFiles(Optional.of(folder));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    private Path file(String name) throws IOException {
        return folder.resolve(
                names().stream().filter(n -> n.startsWith(name)).findFirst().orElseThrow());
    }

    private void lastUsed(String name, Duration ago) throws IOException {
        Files.setLastModifiedTime(file(name), FileTime.from(Instant.now().minus(ago)));
    }

    @Test
    void whatWasPutIsThereForItsNameAndKeyAlone() {
        files().put("a", KEY, bytes("one"));
        assertThat(files().get("a", KEY)).contains(bytes("one"));
        assertThat(files().get("b", KEY)).isEmpty();
        assertThat(files().get("a", KeptFiles.key("source", "others"))).isEmpty();
        files().put("a", KEY, bytes("two"));
        assertThat(files().get("a", KEY)).contains(bytes("two"));
    }

    /// Whatever is damaged: nothing is there, and it can be put again.
    @Test
    void aDamagedFileIsNone() throws IOException {
        files().put("a", KEY, bytes("what is kept"));
        Path file = file("a");
        byte[] good = Files.readAllBytes(file);
        List<byte[]> damaged = new ArrayList<>();
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 1;
            damaged.add(bad);
            damaged.add(Arrays.copyOf(good, at));
        }
        damaged.add(Arrays.copyOf(good, good.length + 1));
        for (byte[] bad : damaged) {
            Files.write(file, bad);
            assertThat(files().get("a", KEY)).isEmpty();
        }
        files().put("a", KEY, bytes("what is kept"));
        assertThat(Files.readAllBytes(file)).isEqualTo(good);
    }

    @Test
    void keysTellWhereATextEnds() {
        assertThat(KeptFiles.key("ab", "c")).isNotEqualTo(KeptFiles.key("a", "bc"));
    }

    @Test
    void whatWasNotUsedForLongGoes() throws IOException {
        for (String name : List.of("old", "used", "young")) {
            files().put(name, KEY, bytes(name));
        }
        Duration tooLong = KeptFiles.MAX_UNUSED.plusDays(1);
        lastUsed("old", tooLong);
        lastUsed("used", tooLong);
        lastUsed("young", KeptFiles.MAX_UNUSED.minusDays(1));
        assertThat(files().get("used", KEY)).isPresent();
        files().put("new", KEY, bytes("new"));
        assertThat(names()).hasSize(3);
        assertThat(files().get("old", KEY)).isEmpty();
        for (String name : List.of("used", "young", "new")) {
            assertThat(files().get(name, KEY)).contains(bytes(name));
        }
    }

    /// The one that was written last stays even where it is more than all may be.
    @Test
    void ofTooMuchTheLongestUnusedGoes() throws IOException {
        KeptFiles all = files();
        for (int i = 0; i < 4; i++) {
            all.put("file" + i, KEY, new byte[1000]);
            lastUsed("file" + i, Duration.ofHours(10 - i));
        }
        lastUsed("file0", Duration.ofMinutes(1));
        long one = Files.size(file("file0"));
        new KeptFiles(Optional.of(folder), 3 * one).put("file4", KEY, new byte[1000]);
        assertThat(names()).extracting(n -> n.substring(0, 5)).containsExactly("file0", "file3", "file4");
        new KeptFiles(Optional.of(folder), one).put("large", KEY, new byte[5000]);
        assertThat(names()).singleElement().asString().startsWith("large");
    }

    @Test
    void onlyItsOwnFilesGo() throws IOException {
        Files.writeString(folder.resolve("1.partial"), "of a process that died");
        Files.writeString(folder.resolve("2.partial"), "of one that writes");
        Files.writeString(folder.resolve("notes.txt"), "the user's");
        Files.createDirectory(folder.resolve("folder.bin"));
        for (String name : List.of("1.partial", "notes.txt", "folder.bin")) {
            lastUsed(name, Duration.ofDays(1000));
        }
        new KeptFiles(Optional.of(folder), 1).put("new", KEY, bytes("new"));
        assertThat(names()).hasSize(4).contains("2.partial", "notes.txt", "folder.bin");
    }

    /// Each finds what it asks for or nothing, and nobody fails, while all write and delete.
    @Test
    void severalAtOnce() throws InterruptedException, ExecutionException {
        List<Future<Integer>> found = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int t = 0; t < 4; t++) {
                found.add(threads.submit(() -> {
                    int hits = 0;
                    for (int i = 0; i < 200; i++) {
                        String name = "file" + i % 10;
                        KeptFiles files = new KeptFiles(Optional.of(folder), 1000);
                        files.put(name, KEY, bytes(name));
                        Optional<byte[]> got = files.get(name, KEY);
                        assertThat(got.map(b -> new String(b, StandardCharsets.UTF_8)))
                                .isIn(Optional.empty(), Optional.of(name));
                        hits += got.isPresent() ? 1 : 0;
                    }
                    return hits;
                }));
            }
        }
        int hits = 0;
        for (Future<Integer> f : found) {
            hits += f.get();
        }
        assertThat(hits).isPositive();
    }

    @Test
    void folders() {
        assertThat(KeptFiles.folder(Map.of("HOME", "/h"))).contains(Path.of("/h/.cache/panamoe/opencl"));
        assertThat(KeptFiles.folder(Map.of("HOME", "/h", "PANAMOE_OPENCL_CACHE", "0")))
                .isEmpty();
    }
}
