package dev.panamoe.gguf;

import static dev.panamoe.gguf.GgufWriter.concat;
import static dev.panamoe.gguf.GgufWriter.le;
import static dev.panamoe.gguf.GgufWriter.string;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.QuantType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every fault of a single file has a message of its own: one line, beginning with the file's name.
class GgufFaultsTest {
    @TempDir
    Path dir;

    private static GgufWriter sound() {
        return new GgufWriter()
                .key("general.architecture", "gemma4")
                .key("general.name", "test")
                .key("array", new int[] {1, 2, 3})
                .key("strings", new String[] {"a", "bc", ""})
                .tensor("a.weight", QuantType.Q8_0, 64, 3)
                .tensor("b.weight", QuantType.F32, 5);
    }

    private static GgufWriter tensor(int nDims, long[] dims, int type, long offset, int data) {
        return new GgufWriter().rawTensor("t.weight", nDims, dims, type, OptionalLong.of(offset), new byte[data]);
    }

    private static String messageOf(byte[] file) {
        try {
            GgufFile.ofMemory("m.gguf", MemorySegment.ofArray(file)).close();
        } catch (PanamoeException e) {
            String message = String.valueOf(e.getMessage());
            assertThat(message).startsWith("m.gguf: ").hasLineCount(1).hasSizeLessThan(600);
            return message;
        }
        throw new AssertionError("accepted");
    }

    static Stream<Arguments> faults() {
        byte[] sound = sound().bytes();
        byte[] wrongMagic = sound.clone();
        wrongMagic[0] = 0;
        byte[] keyLength = new GgufWriter().key("k", 1).bytes();
        byte[] longKey = keyLength.clone();
        System.arraycopy(le(8, 1L << 20), 0, longKey, 24, 8);
        byte[] hugeKey = keyLength.clone();
        System.arraycopy(le(8, -1), 0, hugeKey, 24, 8);
        return Stream.of(
                fault("magic", wrongMagic, "not a GGUF file", "00 47 55 46"),
                fault("empty", new byte[0], "empty"),
                fault("version 1", sound().version(1).bytes(), "version 1 is no longer supported"),
                fault("version 0", sound().version(0).bytes(), "version 0 is unknown"),
                fault("version 4", sound().version(4).bytes(), "version 4 is unknown"),
                fault("big-endian", sound().version(0x03000000).bytes(), "big-endian"),
                fault("big-endian 2", sound().version(0x02000000).bytes(), "big-endian"),
                fault("negative keys", sound().claimKeys(-1).bytes(), "18446744073709551615 metadata keys"),
                fault("too many keys", sound().claimKeys(1 << 20).bytes(), "1048576 metadata keys", "limit"),
                fault("more keys than fit", sound().claimKeys(1000).bytes(), "1000 metadata keys", "cannot hold"),
                fault("a key more", new GgufWriter().key("k", 1).claimKeys(2).bytes(), "metadata key 2 is empty"),
                fault("negative tensors", sound().claimTensors(-1).bytes(), "18446744073709551615 tensors"),
                fault("too many tensors", sound().claimTensors(1L << 40).bytes(), "1099511627776 tensors", "limit"),
                fault("more tensors than fit", sound().claimTensors(900).bytes(), "900 tensors", "cannot hold"),
                fault("key longer than allowed", longKey, "name of metadata key 1 of 1", "1048576 bytes", "limit"),
                fault("key length negative", hugeKey, "18446744073709551615 bytes"),
                fault("empty key", new GgufWriter().key("", 1).bytes(), "metadata key 1 is empty"),
                fault(
                        "key not UTF-8",
                        new GgufWriter()
                                .raw(new byte[] {(byte) 0xff}, 4, le(4, 1))
                                .bytes(),
                        "not valid UTF-8"),
                fault("key with a line break", new GgufWriter().key("a\nb", 1).bytes(), "control characters: a\\nb"),
                fault("duplicate key", new GgufWriter().key("k", 1).key("k", 2).bytes(), "key k occurs twice"),
                fault(
                        "value type",
                        new GgufWriter().raw("k", 13, le(4, 1)).bytes(),
                        "key k has the unknown value type 13"),
                fault(
                        "negative value type",
                        new GgufWriter().raw("k", -1, le(4, 1)).bytes(),
                        "value type 4294967295"),
                fault(
                        "string longer than the file",
                        new GgufWriter().raw("k", 8, le(8, 5000)).bytes(),
                        "value of key k",
                        "5000 bytes",
                        "truncated"),
                fault(
                        "string longer than allowed",
                        new GgufWriter().raw("k", 8, le(8, 1L << 62)).bytes(),
                        "value of key k",
                        "4611686018427387904"),
                fault(
                        "array of arrays",
                        new GgufWriter().array("k", 9, 0, new byte[0]).bytes(),
                        "array of arrays"),
                fault(
                        "array element type",
                        new GgufWriter().array("k", 77, 0, new byte[0]).bytes(),
                        "unknown value type 77"),
                fault(
                        "array count negative",
                        new GgufWriter().array("k", 4, -1, new byte[0]).bytes(),
                        "18446744073709551615 entries"),
                fault(
                        "array count huge",
                        new GgufWriter().array("k", 4, 1L << 31, new byte[0]).bytes(),
                        "2147483648 entries",
                        "limit"),
                fault(
                        "array longer than the file",
                        new GgufWriter().array("k", 10, 1 << 20, new byte[80]).bytes(),
                        "1048576 entries of type uint64",
                        "cannot hold"),
                fault(
                        "string array longer than the file",
                        new GgufWriter().array("k", 8, 1 << 20, new byte[80]).bytes(),
                        "1048576 entries of type string",
                        "cannot hold"),
                fault(
                        "string array beyond the limit",
                        new GgufWriter().array("k", 8, 1 << 23, new byte[80]).bytes(),
                        "8388608 entries",
                        "limit"),
                fault(
                        "string in an array",
                        new GgufWriter()
                                .array("k", 8, 2, concat(string("a"), le(8, 9999), new byte[90]))
                                .bytes(),
                        "value of key k",
                        "9999 bytes"),
                fault(
                        "alignment 0",
                        sound().raw("general.alignment", 4, le(4, 0)).bytes(),
                        "general.alignment is 0"),
                fault(
                        "alignment 24",
                        sound().raw("general.alignment", 4, le(4, 24)).bytes(),
                        "power of two"),
                fault(
                        "alignment 2^21",
                        sound().raw("general.alignment", 4, le(4, 1 << 21)).bytes(),
                        "2097152"),
                fault(
                        "alignment text",
                        sound().key("general.alignment", "32").bytes(),
                        "general.alignment is of type string",
                        "an integer"),
                fault(
                        "general.type",
                        sound().key("general.type", "mmproj").bytes(),
                        "file of type 'mmproj'",
                        "not a model"),
                fault(
                        "empty tensor name",
                        new GgufWriter().tensor("", QuantType.F32, 1).bytes(),
                        "name of tensor 1 is empty"),
                fault(
                        "long tensor name",
                        new GgufWriter()
                                .tensor("x".repeat(64), QuantType.F32, 1)
                                .bytes(),
                        "tensor record 1 of 1",
                        "64 bytes",
                        "limit is 63"),
                fault(
                        "tensor name with an escape",
                        new GgufWriter().tensor("x\u001b[2J", QuantType.F32, 1).bytes(),
                        "control characters: x\\u{1b}[2J"),
                fault(
                        "duplicate tensor",
                        new GgufWriter()
                                .tensor("x", QuantType.F32, 1)
                                .tensor("x", QuantType.F32, 1)
                                .bytes(),
                        "tensor x: two tensors"),
                fault("0 dimensions", tensor(0, new long[] {}, 0, 0, 4).bytes(), "tensor t.weight: 0 dimensions"),
                fault(
                        "5 dimensions",
                        tensor(5, new long[] {1, 1, 1, 1, 1}, 0, 0, 4).bytes(),
                        "5 dimensions"),
                fault("2^32-1 dimensions", tensor(-1, new long[] {1}, 0, 0, 4).bytes(), "4294967295 dimensions"),
                fault("dimension 0", tensor(2, new long[] {4, 0}, 0, 0, 4).bytes(), "dimension 0 is impossible"),
                fault(
                        "dimension negative",
                        tensor(1, new long[] {-1}, 0, 0, 4).bytes(),
                        "dimension 18446744073709551615 is impossible"),
                fault(
                        "product overflows",
                        tensor(2, new long[] {1L << 32, 1L << 31}, 0, 0, 4).bytes(),
                        "dimensions [4294967296, 2147483648] overflow"),
                fault(
                        "bytes overflow",
                        tensor(2, new long[] {1L << 32, 1L << 30}, 0, 0, 4).bytes(),
                        "size of F32 [4294967296, 1073741824] overflows"),
                fault("row and block", tensor(1, new long[] {48}, 8, 0, 51).bytes(), "a row of 48 values", "Q8_0"),
                fault("removed Q4_2", tensor(1, new long[] {32}, 4, 0, 20).bytes(), "t.weight", "Q4_2", "removed"),
                fault("removed Q4_3", tensor(1, new long[] {32}, 5, 0, 20).bytes(), "Q4_3", "removed"),
                fault("removed Q4_0_4_4", tensor(1, new long[] {32}, 31, 0, 20).bytes(), "variant of Q4_0", "removed"),
                fault(
                        "removed IQ4_NL_4_4",
                        tensor(1, new long[] {32}, 36, 0, 20).bytes(),
                        "t.weight",
                        "variant of IQ4_NL"),
                fault(
                        "ik Q6_0",
                        tensor(1, new long[] {32}, 133, 0, 26).bytes(),
                        "t.weight",
                        "ik_llama.cpp-only type Q6_0 (id 133)"),
                fault("ik IQ4_K", tensor(1, new long[] {32}, 139, 0, 26).bytes(), "ik_llama.cpp-only type IQ4_K"),
                fault("ik R4", tensor(1, new long[] {32}, 202, 0, 26).bytes(), "ik_llama.cpp-only", "interleaved"),
                fault("type 43", tensor(1, new long[] {32}, 43, 0, 26).bytes(), "unknown type 43"),
                fault("type 2^32-1", tensor(1, new long[] {32}, -1, 0, 26).bytes(), "unknown type 4294967295"),
                fault("offset unaligned", tensor(1, new long[] {4}, 0, 16, 64).bytes(), "offset 16", "alignment 32"),
                fault("offset negative", tensor(1, new long[] {4}, 0, -32, 64).bytes(), "offset 18446744073709551584"),
                fault("offset outside", tensor(1, new long[] {4}, 0, 64, 64).bytes(), "16 bytes at data offset 64"),
                fault(
                        "offset near 2^63",
                        tensor(1, new long[] {4}, 0, Long.MAX_VALUE & -32, 64).bytes(),
                        "reach beyond the 64 bytes"),
                fault("data short", tensor(1, new long[] {100}, 0, 0, 64).bytes(), "400 bytes", "beyond the 64 bytes"),
                fault(
                        "data enormous",
                        tensor(1, new long[] {1L << 60}, 0, 0, 64).bytes(),
                        "4611686018427387904 bytes at data offset 0"),
                fault(
                        "overlap",
                        new GgufWriter()
                                .rawTensor("x", 1, new long[] {16}, 0, OptionalLong.of(32), new byte[64])
                                .rawTensor("y", 1, new long[] {16}, 0, OptionalLong.of(0), new byte[64])
                                .bytes(),
                        "tensor x: its data overlaps that of y"),
                fault(
                        "half a split",
                        sound().key("split.no", (short) 0).bytes(),
                        "only one of the keys split.no and split.count"),
                fault(
                        "split contradiction",
                        sound().key("split.no", 3).key("split.count", 3).bytes(),
                        "split.no 3 and split.count 3"),
                fault(
                        "split of nothing",
                        sound().key("split.no", 1).key("split.count", 0).bytes(),
                        "split.no 1 and split.count 0"),
                fault(
                        "split tensors",
                        sound().key("split.no", 0)
                                .key("split.count", 1)
                                .key("split.tensors.count", 7)
                                .bytes(),
                        "2 tensors, expected 7"),
                fault(
                        "part in memory",
                        sound().key("split.no", 1)
                                .key("split.count", 2)
                                .key("split.tensors.count", 7)
                                .bytes(),
                        "part 2 of 2",
                        "must be whole"));
    }

    private static Arguments fault(String name, byte[] file, String... parts) {
        return Arguments.of(Named.of(name, file), parts);
    }

    @ParameterizedTest
    @MethodSource("faults")
    void saysWhatIsWrong(byte[] file, String[] parts) {
        assertThat(messageOf(file)).contains(parts);
    }

    /// Two faults with the same words would leave the user guessing; numbers do not count as words.
    @Test
    void hasAMessageForEachKindOfFault() {
        Set<String> kinds = new HashSet<>();
        faults().forEach(a -> kinds.add(
                messageOf((byte[]) ((Named<?>) a.get()[0]).getPayload()).replaceAll("[0-9]+", "#")));
        assertThat(kinds).hasSizeGreaterThan(45);
    }

    @Test
    void aFileCutAnywhereIsRefused() {
        byte[] file = sound().bytes();
        // the padding behind the last tensor's 20 bytes may be missing, as some writers leave it out
        int needed = file.length - 12;
        for (int size = 0; size < needed; size++) {
            assertThat(messageOf(Arrays.copyOf(file, size)))
                    .as("cut at %d", size)
                    .containsAnyOf("truncated", "empty", "not a GGUF", "a text file");
        }
        for (int size = needed; size <= file.length; size++) {
            byte[] whole = Arrays.copyOf(file, size);
            assertThatCode(() -> GgufFile.ofMemory("m", MemorySegment.ofArray(whole)))
                    .doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma4-moe/model-q4_0.gguf", "deepseek-v3/model-mla-q8_0.gguf"})
    void aRealFileCutAtManyPlacesIsRefused(String fixture) throws IOException {
        byte[] file = Files.readAllBytes(Path.of(System.getProperty("panamoe.testdata"), "fixtures", fixture));
        for (int size = 1; size < file.length - 32; size += 1 + size / 50) {
            assertThat(messageOf(Arrays.copyOf(file, size))).containsAnyOf("truncated", "not a GGUF", "a text file");
        }
    }

    @Test
    void bytesBehindTheLastTensorAreOnlyAWarning() {
        byte[] file = sound().bytes();
        try (GgufFile sound = GgufFile.ofMemory("m", MemorySegment.ofArray(file));
                GgufFile longer = GgufFile.ofMemory("m", MemorySegment.ofArray(Arrays.copyOf(file, file.length + 7)))) {
            assertThat(sound.warnings()).isEmpty();
            assertThat(longer.warnings()).singleElement().asString().startsWith("m: 7 bytes after the last tensor");
        }
    }

    static Stream<Arguments> otherKinds() {
        return Stream.of(
                Arguments.of("zip", "PK\3\4whatever\0\0".getBytes(StandardCharsets.ISO_8859_1), "a zip archive"),
                Arguments.of(
                        "safetensors",
                        concat(le(8, 20), "{\"a\":{\"dtype\":\"F32\"}}      ".getBytes(StandardCharsets.UTF_8)),
                        "a safetensors file"),
                Arguments.of("gzip", new byte[] {0x1f, (byte) 0x8b, 8, 0, 0}, "gzip-compressed"),
                Arguments.of("ggjt", "tjgg\3\0\0\0".getBytes(StandardCharsets.ISO_8859_1), "before GGUF"),
                Arguments.of(
                        "lfs",
                        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n".getBytes(StandardCharsets.UTF_8),
                        "a Git LFS pointer"),
                Arguments.of("html", "\n<!DOCTYPE html><html>".getBytes(StandardCharsets.UTF_8), "a web page"),
                Arguments.of("text", "Příliš žluťoučký kůň.\n".getBytes(StandardCharsets.UTF_8), "a text file"),
                Arguments.of("long text", "žluť ".repeat(200).getBytes(StandardCharsets.UTF_8), "a text file"),
                Arguments.of("short", new byte[] {1}, "begins with the bytes 01,"),
                Arguments.of("binary", new byte[] {0, 1, 2, 3, 4, 5}, "begins with the bytes 00 01 02 03"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("otherKinds")
    void saysWhatAFileOfAnotherKindIs(String name, byte[] bytes, String expected) throws IOException {
        assertThat(messageOf(bytes)).contains(expected);
        Path file = Files.write(dir.resolve(name), bytes);
        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith(name + ": ")
                .hasMessageContaining(expected);
    }

    @Test
    void saysWhatIsWrongWithThePath() throws IOException {
        assertPathFault(dir.resolve("no.gguf"), "no such file");
        assertPathFault(dir, "directory");
        assertPathFault(Files.createFile(dir.resolve("empty.gguf")), "empty");
        assertPathFault(dir.resolve("evil\n\u001b[2J.gguf"), "evil\\n\\u{1b}[2J.gguf: there is no such file");
        Path device = Path.of("/dev/zero");
        if (Files.exists(device)) {
            assertPathFault(device, "no regular file");
        }
    }

    private static void assertPathFault(Path path, String expected) {
        assertThatThrownBy(() -> GgufFile.open(path))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining(expected)
                .hasMessageNotContaining("\n");
    }
}
