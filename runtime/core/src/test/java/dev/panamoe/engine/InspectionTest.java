package dev.panamoe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.GgufWriter;
import dev.panamoe.gguf.Mutator;
import dev.panamoe.tensor.QuantType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Everything that keeps a file from running is told at once, and an inspection agrees with what opening does.
class InspectionTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");
    private static final Path GEMMA = FIXTURES.resolve("gemma4-moe/model-q8_0.gguf");

    @TempDir
    Path folder;

    private static Inspection inspect(Path path) {
        return inspect(path, EngineOptions.DEFAULT);
    }

    private static Inspection inspect(Path path, EngineOptions options) {
        try (ModelFile model = ModelFile.inspect(path.toString())) {
            Inspection inspection = Inspection.of(model.file(), options);
            for (String line : inspection.missing()) {
                assertThat(line).isNotBlank().doesNotContain("\n");
            }
            return inspection;
        }
    }

    private Path write(GgufWriter writer) {
        return writer.write(folder.resolve("m.gguf"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gemma4-moe/model-q8_0.gguf",
                "gemma4-dense/model.gguf",
                "deepseek-v2-lite/model.gguf",
                "deepseek-v3/model-shards-q8_0-00001-of-00003.gguf"
            })
    void aSoundFileRuns(String fixture) {
        Inspection inspection = inspect(FIXTURES.resolve(fixture));
        assertThat(inspection.missing()).isEmpty();
        assertThat(inspection.runs()).isTrue();
        assertThat(inspection.notes()).isEmpty();
        assertThat(inspection.device().orElseThrow().id()).isEqualTo("reference");
        assertThat(inspection.findings())
                .containsEntry("architecture", fixture.startsWith("gemma4") ? "gemma4" : "deepseek2")
                .containsEntry("chat template", "can be read")
                .containsEntry("weights on reference", "all supported");
        assertThat(inspection.findings().get("tokenizer")).contains("512 tokens");
        Inspection.Memory memory = inspection.memory().orElseThrow();
        assertThat(memory.total()).isEqualTo(memory.weights() + memory.derived() + memory.caches() + memory.scratch());
        assertThat(memory.caches()).isPositive().isLessThan(memory.free());
    }

    @Test
    void everythingThatIsMissingIsToldAtOnce() {
        Path file = write(new GgufWriter()
                .key("general.architecture", "mamba9")
                .key("tokenizer.ggml.model", "gpt2")
                .key("tokenizer.ggml.pre", "klingon")
                .key("tokenizer.chat_template", "{% if")
                .tensor("token_embd.weight", QuantType.F16, 32, 4)
                .tensor("blk.0.odd.weight", QuantType.I16, 32, 4));
        Inspection inspection = inspect(file, EngineOptions.DEFAULT.withBackend("tpu"));
        assertThat(inspection.runs()).isFalse();
        assertThat(inspection.device()).isEmpty();
        assertThat(inspection.missing())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("the architecture 'mamba9'"),
                        line -> assertThat(line).startsWith("tokenizer.ggml.pre \"klingon\""),
                        line -> assertThat(line).startsWith("there is no backend 'tpu'"));
        assertThat(inspection.notes()).hasSize(1).first().asString().contains("use --raw");
        assertThat(inspection.findings().get("weights on reference"))
                .isEqualTo("reference does not support I16 (blk.0.odd.weight); use another quantisation of the model,"
                        + " for example Q4_0, Q4_K or Q8_0");
        assertThat(inspect(file).missing()).hasSize(3).last().asString().startsWith("reference does not support I16");
    }

    @Test
    void missingTensorsAreNamed() throws IOException {
        byte[] model = Files.readAllBytes(FIXTURES.resolve("gemma4-moe/model-q4_0.gguf"));
        replace(model, "blk.0.attn_q.weight", "blk.0.attn_Q.weight");
        Inspection inspection = inspect(Files.write(folder.resolve("m.gguf"), model));
        assertThat(inspection.missing())
                .singleElement()
                .asString()
                .contains("the tensor blk.0.attn_q.weight is missing");
        assertThat(inspection.memory()).as("the memory is known all the same").isPresent();
    }

    @Test
    void filesThatAreNoModels() {
        assertThat(inspect(write(new GgufWriter()
                                .key("general.type", "adapter")
                                .key("general.architecture", "gemma4")
                                .tensor("blk.0.attn_q.weight.lora_a", QuantType.F32, 4, 4)))
                        .missing())
                .singleElement()
                .asString()
                .contains("file of type 'adapter'", "not a model");
        assertThat(inspect(write(new GgufWriter()
                                .key("general.type", "mmproj")
                                .key("general.architecture", "clip")
                                .tensor("v.patch_embd.weight", QuantType.F32, 4, 4)))
                        .missing())
                .hasSize(2)
                .first()
                .asString()
                .contains("file of type 'mmproj'");
        assertThat(inspect(write(new GgufWriter().key("general.architecture", "gemma4")))
                        .missing())
                .anyMatch(line -> line.contains("holds no weights, perhaps only a vocabulary"));
        assertThat(inspect(write(new GgufWriter().tensor("t", QuantType.F32, 4, 4)))
                        .missing())
                .anyMatch(line -> line.contains("general.architecture is missing"));
    }

    @Test
    void opensWithTheSameWords() {
        Path file = write(new GgufWriter().key("general.architecture", "gemma4"));
        assertThatThrownBy(() -> Engine.open(file))
                .isInstanceOf(PanamoeException.class)
                .hasMessage("m.gguf: the file holds no weights, perhaps only a vocabulary; get the model itself");
    }

    @Test
    void aPreTokeniserThatIsNotNamedIsNoted() throws IOException {
        byte[] model = Files.readAllBytes(FIXTURES.resolve("qwen3-moe/model.gguf"));
        replace(model, "tokenizer.ggml.pre", "tokenizer.ggml.PRE");
        Inspection inspection = inspect(Files.write(folder.resolve("m.gguf"), model));
        assertThat(inspection.runs()).isTrue();
        assertThat(inspection.notes())
                .singleElement()
                .asString()
                .contains("tokenizer.ggml.pre", "convert the model again");
    }

    @Test
    void partsThatAreNotThere() throws IOException {
        for (int part : new int[] {1, 3}) {
            String name = "model-shards-q8_0-0000" + part + "-of-00003.gguf";
            Files.copy(FIXTURES.resolve("deepseek-v3").resolve(name), folder.resolve(name));
        }
        Inspection first = inspect(folder.resolve("model-shards-q8_0-00001-of-00003.gguf"));
        assertThat(first.missing())
                .containsExactly("1 of the 3 parts is missing beside it, the first is"
                        + " model-shards-q8_0-00002-of-00003.gguf; download it");
        assertThat(first.findings()).containsEntry("architecture", "deepseek2").containsKey("tokenizer");
        assertThat(inspect(folder.resolve("model-shards-q8_0-00003-of-00003.gguf"))
                        .missing())
                .containsExactly("this is part 3 of 3 of a split model; open the first part,"
                        + " model-shards-q8_0-00001-of-00003.gguf");
    }

    @Test
    void aTemplateThatCannotBeReadLeavesRawPrompts() throws IOException {
        byte[] model = Files.readAllBytes(GEMMA);
        replace(model, "{%", "{{%");
        Inspection inspection = inspect(Files.write(folder.resolve("m.gguf"), model));
        assertThat(inspection.runs()).isTrue();
        assertThat(inspection.notes()).singleElement().asString().contains("--raw");
    }

    @Test
    void contextsThatDoNotFitSayWhatWould() {
        Inspection inspection = inspect(GEMMA, EngineOptions.DEFAULT.withContextLength(2_000_000_000));
        assertThat(inspection.missing()).singleElement().asString().contains("use a --ctx of at most ");
        String line = inspection.missing().getFirst();
        int most = Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
        Inspection smaller = inspect(GEMMA, EngineOptions.DEFAULT.withContextLength(most / 2));
        assertThat(smaller.runs()).isTrue();
        assertThat(smaller.notes()).singleElement().asString().contains("was trained for");
    }

    /// Whatever the head of a file holds: an inspection ends, throws nothing else, and says "runs" of what opens.
    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v3/model-mla-q8_0.gguf", "gemma4-moe/model-q8_0.gguf"})
    @Timeout(60)
    void damagedFilesAreInspectedOrRefused(String fixture) throws IOException {
        byte[] sound = Files.readAllBytes(FIXTURES.resolve(fixture));
        int header;
        try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(sound))) {
            header = (int) (sound.length
                    - file.tensors().values().stream()
                            .mapToLong(t -> t.data().byteSize())
                            .sum());
        }
        Random random = new Random(5);
        Mutator mutator = new Mutator(random, List.of(sound));
        int inspected = 0;
        int lacking = 0;
        for (int i = 0; i < 800; i++) {
            byte[] damaged = i % 2 == 0 ? mutator.mutate(sound, header) : sound.clone();
            if (i % 2 == 1) {
                damaged[random.nextInt(header)] ^= (byte) (1 << random.nextInt(8)); // most often still a GGUF file
            }
            Inspection inspection;
            try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(damaged))) {
                inspection = Inspection.of(file, EngineOptions.DEFAULT);
            } catch (PanamoeException e) {
                continue; // no GGUF file any more
            }
            inspected++;
            if (!inspection.runs()) {
                lacking++;
                assertThat(inspection.missing()).allSatisfy(m -> assertThat(m).doesNotContain("\n"));
            }
            Path path = Files.write(folder.resolve("d.gguf"), damaged);
            assertThat(opens(path))
                    .as("mutation %d: %s", i, inspection.missing())
                    .isEqualTo(inspection.runs());
        }
        assertThat(inspected).isGreaterThan(100);
        assertThat(lacking).isGreaterThan(20);
    }

    private static boolean opens(Path path) {
        try (Engine engine = Engine.open(path)) {
            engine.newSession().close();
            return true;
        } catch (PanamoeException e) {
            return false;
        }
    }

    /// The first place of a text in a file.
    private static void replace(byte[] file, String old, String replacement) {
        int at = new String(file, StandardCharsets.ISO_8859_1).indexOf(old);
        assertThat(at).as(old).isPositive();
        byte[] bytes = replacement.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(bytes, 0, file, at, bytes.length);
    }
}
