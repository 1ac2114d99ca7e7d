package dev.panamoe.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void readsTensorsOfBothVersions(int version) {
        byte[] values = GgufWriter.concat(
                GgufWriter.le(4, Float.floatToIntBits(1.5f)), GgufWriter.le(4, Float.floatToIntBits(-2f)));
        Path path = new GgufWriter()
                .version(version)
                .alignment(64)
                .key("general.architecture", "gemma4")
                .tensor("first", QuantType.Q4_0, 32, 3, 2)
                .tensor("second", QuantType.F32, values, 2)
                .write(dir.resolve("m.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.version()).isEqualTo(version);
            assertThat(file.name()).isEqualTo("m.gguf");
            assertThat(file.files()).containsExactly(path);
            assertThat(file.fileBytes()).isEqualTo(path.toFile().length());
            assertThat(file.metadata().string("general.architecture")).isEqualTo("gemma4");
            assertThat(file.tensors().keySet()).containsExactly("first", "second");
            assertThat(file.warnings()).isEmpty();
            TensorView first = file.get("first");
            assertThat(first.type()).isEqualTo(QuantType.Q4_0);
            assertThat(first.shape()).isEqualTo(Shape.of(32, 3, 2));
            assertThat(first.data().byteSize()).isEqualTo(18 * 6);
            assertThat(first.data().toArray(ValueLayout.JAVA_BYTE)).containsOnly(1);
            assertThat(first.data().isMapped()).isTrue();
            assertThat(file.get("second").data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(values);
            assertThat(file.find("third")).isEmpty();
            assertThatThrownBy(() -> file.get("third"))
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("m.gguf: tensor third is missing");
        }
    }

    @Test
    void isReadOnlyAndEndsWithClose() {
        Path path = new GgufWriter().tensor("t", QuantType.F32, 4).key("s", "x").write(dir.resolve("m.gguf"));
        GgufFile file = GgufFile.open(path);
        MemorySegment data = file.get("t").data();
        assertThat(data.isReadOnly()).isTrue();
        assertThat(file.get("t").data().scope()).isEqualTo(data.scope());
        file.close();
        file.close();
        assertThatThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> file.metadata().string("s")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(file::checkUnchanged).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void readsAModelInMemory() {
        byte[] bytes = new GgufWriter().tensor("t", QuantType.F32, 4).bytes();
        try (GgufFile file = GgufFile.ofMemory("demo:x", MemorySegment.ofArray(bytes))) {
            assertThat(file.name()).isEqualTo("demo:x");
            assertThat(file.files()).isEmpty();
            assertThat(file.fileBytes()).isEqualTo(bytes.length);
            assertThat(file.get("t").data().isReadOnly()).isTrue();
            file.checkUnchanged();
        }
    }

    @Test
    void acceptsAFileWithoutTensorsAndAnyTensorOrder() {
        try (GgufFile none = GgufFile.ofMemory(
                "m", MemorySegment.ofArray(new GgufWriter().key("k", 1).bytes()))) {
            assertThat(none.tensors()).isEmpty();
        }
        byte[] swapped = new GgufWriter()
                .rawTensor("x", 1, new long[] {4}, 0, OptionalLong.of(64), new byte[16])
                .rawTensor("y", 1, new long[] {4}, 0, OptionalLong.of(0), new byte[96])
                .bytes();
        try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(swapped))) {
            assertThat(file.tensors().keySet()).containsExactly("x", "y");
        }
    }

    /// Experts as old converters wrote them: interleaved with other tensors, and those of a layer cut in two where the
    /// files they were made from ended.
    @Test
    void matricesThatLieApartAreSlicesOfOne() {
        byte[] bytes = new GgufWriter()
                .tensor("a.0", QuantType.F32, 2, 3)
                .tensor("b.0", QuantType.F32, 5)
                .tensor("a.1", QuantType.F32, 2, 3)
                .tensor("b.1", QuantType.F32, 5)
                .tensor("a.2", QuantType.F32, 2, 3)
                .tensor("b.2", QuantType.F16, 5)
                .tensor("a.3", QuantType.F32, 2, 3)
                .bytes();
        try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(bytes))) {
            TensorView all =
                    file.stack("a", List.of("a.0", "a.1", "a.2", "a.3")).orElseThrow();
            assertThat(all.name()).isEqualTo("a");
            assertThat(all.shape()).isEqualTo(Shape.of(2, 3, 4));
            assertThat(all.sliceStart(3)).isEqualTo(3 * 64);
            for (int i = 0; i < 4; i++) {
                assertThat(all.data()
                                .asSlice(all.sliceStart(i), all.sliceBytes())
                                .mismatch(file.get("a." + i).data()))
                        .as("slice %d", i)
                        .isEqualTo(-1);
            }
            assertThat(file.stack("a", List.of("a.2")).orElseThrow().shape().slices())
                    .isEqualTo(1);
            TensorView uneven = file.stack("a", List.of("a.3", "a.0", "a.1")).orElseThrow();
            assertThat(uneven.sliceStarts()).containsExactly(3 * 64L, 0L, 64L);
            assertThat(uneven.data().byteSize()).isEqualTo(3 * 64 + 24);
            TensorView cut = uneven.rows(1, 2);
            assertThat(cut.data()
                            .asSlice(cut.sliceStart(0), cut.sliceBytes())
                            .mismatch(file.get("a.3").rows(1, 2).data()))
                    .isEqualTo(-1);
            assertThat(file.stack("a", List.of("a.0", "b.0")))
                    .as("other shapes")
                    .isEmpty();
            assertThat(file.stack("b", List.of("b.0", "b.1", "b.2")))
                    .as("another type")
                    .isEmpty();
            assertThatThrownBy(() -> file.stack("a", List.of("a.0", "a.7")))
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("tensor a.7 is missing");
        }
    }

    static Stream<Path> fixtures() throws IOException {
        try (Stream<Path> all = Files.walk(FIXTURES)) {
            List<Path> found = all.filter(p -> p.toString().endsWith(".gguf"))
                    .filter(p -> !p.toString().matches(".*-0000[2-9]-of-.*"))
                    .sorted()
                    .toList();
            assertThat(found).hasSizeGreaterThan(10);
            return found.stream();
        }
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void opensEveryFixture(Path path) {
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.metadata().string("general.architecture")).isIn(Architectures.names());
            assertThat(file.tensors()).isNotEmpty();
            assertThat(file.warnings()).isEmpty();
            assertThat(file.metadata().strings("tokenizer.ggml.tokens").size()).isGreaterThan(100);
            long sum = file.tensors().values().stream()
                    .mapToLong(t -> t.data().byteSize())
                    .sum();
            assertThat(sum).isBetween(file.fileBytes() / 2, file.fileBytes());
            assertThat(file.metadata().describe(3, 40))
                    .allSatisfy(e -> assertThat(e.text()).hasLineCount(1));
        }
    }

    @Test
    void joinsThePartsOfASplitModel() {
        Path first = FIXTURES.resolve("deepseek-v3/model-shards-q8_0-00001-of-00003.gguf");
        try (GgufFile split = GgufFile.open(first);
                GgufFile whole = GgufFile.open(FIXTURES.resolve("deepseek-v3/model.gguf"))) {
            assertThat(split.files()).hasSize(3);
            assertThat(split.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(whole.tensors().keySet());
            split.tensors()
                    .forEach((name, tensor) ->
                            assertThat(tensor.shape()).isEqualTo(whole.get(name).shape()));
            // norms are F32 in both, so that the bytes prove that each part's own data section was used
            assertThat(whole.tensors().values().stream().filter(t -> t.name().endsWith("_norm.weight")))
                    .isNotEmpty()
                    .allSatisfy(t -> assertThat(split.get(t.name()).data().mismatch(t.data()))
                            .isEqualTo(-1));
            assertThat(split.fileBytes())
                    .isEqualTo(split.files().stream()
                            .mapToLong(p -> p.toFile().length())
                            .sum());
            split.checkUnchanged();
        }
    }

    @Test
    void anotherPartThanTheFirstNamesTheFirst() {
        assertThatThrownBy(() -> GgufFile.open(FIXTURES.resolve("deepseek-v3/model-shards-q8_0-00002-of-00003.gguf")))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("part 2 of 3")
                .hasMessageContaining("open the first part, model-shards-q8_0-00001-of-00003.gguf");
    }

    private static GgufWriter part(int number, int count, int tensors, String... names) {
        GgufWriter w = new GgufWriter()
                .key("split.no", (short) number)
                .key("split.count", (short) count)
                .raw("split.tensors.count", 5, GgufWriter.le(4, tensors));
        for (String name : names) {
            w.tensor(name, QuantType.F32, 4);
        }
        return w;
    }

    private void assertSplitFault(String first, String... expected) {
        assertThatThrownBy(() -> GgufFile.open(dir.resolve(first)))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContainingAll(expected)
                .hasMessageNotContaining("\n");
    }

    @Test
    void aFirstPartWithoutTensorsIsFine() {
        part(0, 2, 1).write(dir.resolve("m-00001-of-00002.gguf"));
        part(1, 2, 1, "t").write(dir.resolve("m-00002-of-00002.gguf"));
        try (GgufFile file = GgufFile.open(dir.resolve("m-00001-of-00002.gguf"))) {
            assertThat(file.tensors().keySet()).containsExactly("t");
        }
    }

    /// The tool that merges parts leaves their keys behind, with a count of 0.
    @Test
    void aFileMergedFromPartsIsWhole() {
        try (GgufFile file = GgufFile.open(part(0, 0, 2, "a", "b").write(dir.resolve("merged.gguf")))) {
            assertThat(file.tensors().keySet()).containsExactly("a", "b");
        }
    }

    @Test
    void partsMustBeNamedCompleteAndBelongTogether() {
        part(0, 2, 2, "a").write(dir.resolve("plain.gguf"));
        assertSplitFault("plain.gguf", "plain.gguf: this is part 1 of 2", "does not end in -00001-of-00002.gguf");
        part(0, 2, 2, "a").write(dir.resolve("m-00001-of-00003.gguf"));
        assertSplitFault("m-00001-of-00003.gguf", "part 1 of 2 by its contents", "part 1 of 3 by its name");
        part(0, 2, 2, "a").write(dir.resolve("m-00002-of-00002.gguf"));
        assertSplitFault("m-00002-of-00002.gguf", "part 1 of 2 by its contents", "part 2 of 2 by its name");
        new GgufWriter().key("split.no", 0).key("split.count", 2).write(dir.resolve("c-00001-of-00002.gguf"));
        assertSplitFault("c-00001-of-00002.gguf", "split.tensors.count is missing");

        part(0, 3, 3, "a").write(dir.resolve("x-00001-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "2 of the 3 parts are missing", "x-00002-of-00003.gguf");
        part(2, 3, 3, "c").write(dir.resolve("x-00003-of-00003.gguf"));
        part(2, 3, 3, "b").write(dir.resolve("x-00002-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "x-00002-of-00003.gguf: this is part 3 of 3", "expected part 2 of 3");
        new GgufWriter().tensor("b", QuantType.F32, 4).write(dir.resolve("x-00002-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "x-00002-of-00003.gguf: this is part 1 of 1");
        part(1, 3, 4, "b").write(dir.resolve("x-00002-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "split.tensors.count is 4, but 3 in x-00001-of-00003.gguf");
        part(1, 3, 3, "a").write(dir.resolve("x-00002-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "x-00002-of-00003.gguf: tensor a is also in an earlier part");
        part(1, 3, 3, "b", "d").write(dir.resolve("x-00002-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "hold 4 tensors, expected 3");
        part(1, 3, 3, "b").version(1).write(dir.resolve("x-00002-of-00003.gguf"));
        assertSplitFault("x-00001-of-00003.gguf", "x-00002-of-00003.gguf: GGUF version 1");
        part(1, 3, 3, "b").write(dir.resolve("x-00002-of-00003.gguf"));
        GgufFile.open(dir.resolve("x-00001-of-00003.gguf")).close();
    }

    /// A sparse file, so that nothing of this size is really written or read.
    @Test
    void readsTensorsBeyondFourGigabytes() throws IOException {
        long big = 5L << 30;
        byte[] header = new GgufWriter()
                .rawTensor("big", 2, new long[] {1 << 20, 5 << 10}, QuantType.I8.id(), OptionalLong.of(0), new byte[0])
                .rawTensor("behind", 1, new long[] {4}, QuantType.F32.id(), OptionalLong.of(big), new byte[0])
                .bytes();
        Path path = dir.resolve("sparse.gguf");
        try (FileChannel out = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            out.write(ByteBuffer.wrap(header), 0);
            out.write(ByteBuffer.wrap(new byte[] {42}), header.length + big - 1);
            out.write(ByteBuffer.wrap(GgufWriter.le(8, 0x1234_5678_9abc_def0L)), header.length + big);
            out.write(ByteBuffer.wrap(GgufWriter.le(8, 7)), header.length + big + 8);
        }
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.fileBytes()).isEqualTo(header.length + big + 16);
            assertThat(file.get("big").data().get(ValueLayout.JAVA_BYTE, big - 1))
                    .isEqualTo((byte) 42);
            assertThat(file.get("big").data().byteSize()).isEqualTo(big);
            assertThat(file.get("behind").data().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(GgufWriter.concat(GgufWriter.le(8, 0x1234_5678_9abc_def0L), GgufWriter.le(8, 7)));
        }
    }

    @Test
    void noticesAFileThatShrinksOrGrows() throws IOException {
        Path path = new GgufWriter().tensor("t", QuantType.F32, 4096).write(dir.resolve("m.gguf"));
        long size = Files.size(path);
        try (GgufFile file = GgufFile.open(path);
                RandomAccessFile other = new RandomAccessFile(path.toFile(), "rw")) {
            file.checkUnchanged();
            other.setLength(size - 8192);
            assertThatThrownBy(file::checkUnchanged)
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("m.gguf: the file changed while it was open, from " + size);
            other.setLength(size + 1);
            assertThatThrownBy(file::checkUnchanged).isInstanceOf(PanamoeException.class);
            other.setLength(size);
            file.checkUnchanged();
        }
    }

    @Test
    void anotherFileOfTheSameNameDoesNotDisturb() throws IOException {
        Path path = new GgufWriter().tensor("t", QuantType.F32, 64).write(dir.resolve("m.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            Path next = Files.write(dir.resolve("next"), new byte[10]);
            Files.move(next, path, StandardCopyOption.REPLACE_EXISTING);
            file.checkUnchanged();
            assertThat(file.get("t").data().get(ValueLayout.JAVA_BYTE, 255)).isEqualTo((byte) 1);
        }
    }

    @Test
    void anInterruptedThreadMayCheck() {
        Path path = new GgufWriter().tensor("t", QuantType.F32, 64).write(dir.resolve("m.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            Thread.currentThread().interrupt();
            file.checkUnchanged();
            assertThat(Thread.interrupted()).isTrue();
            file.checkUnchanged();
        }
    }

    /// As large as the vocabulary of a real model. The bound is loose and of processor time, to catch a wrong order of
    /// growth on any machine.
    @Test
    @Timeout(60)
    void opensALargeVocabularyQuickly() {
        String[] tokens = new String[262_144];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = "token" + i;
        }
        String[] merges = new String[514_906];
        for (int i = 0; i < merges.length; i++) {
            merges[i] = "merge " + i;
        }
        Path path = new GgufWriter()
                .key("tokenizer.ggml.tokens", tokens)
                .key("tokenizer.ggml.merges", merges)
                .write(dir.resolve("v.gguf"));
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        try (GgufFile file = GgufFile.open(path)) {
            Duration took = Duration.ofNanos(threads.getCurrentThreadCpuTime() - start);
            assertThat(took).isLessThan(Duration.ofSeconds(2));
            assertThat(file.metadata().strings("tokenizer.ggml.merges").get(514_905))
                    .isEqualTo("merge 514905");
        }
    }
}
