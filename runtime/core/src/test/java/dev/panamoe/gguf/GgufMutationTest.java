package dev.panamoe.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.QuantType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The short fuzz run of every build: fixed seeds, so that a failure can be repeated. `GgufFuzzTest` is the long one.
class GgufMutationTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");

    @TempDir
    Path dir;

    @Test
    void theSeedsAreSound() {
        assertThat(GgufSeeds.all())
                .allSatisfy(seed -> assertThat(GgufProbe.probe(seed)).isTrue());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    @Timeout(60)
    void damagedSmallFilesOpenOrAreRefused(int seed) {
        List<byte[]> seeds = GgufSeeds.all();
        run(seeds.get(seed), seeds.get(seed).length, seeds, 4000, seed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma4-dense/model-q8_0.gguf", "deepseek-v3-k/model-mla-q4_k.gguf"})
    @Timeout(60)
    void damagedRealFilesOpenOrAreRefused(String fixture) throws IOException {
        byte[] file = Files.readAllBytes(FIXTURES.resolve(fixture));
        assertThat(GgufProbe.probe(file)).isTrue();
        int header;
        try (GgufFile sound = GgufFile.ofMemory("m", MemorySegment.ofArray(file))) {
            long data = sound.tensors().values().stream()
                    .mapToLong(t -> t.data().byteSize())
                    .sum();
            header = (int) (file.length - data);
        }
        List<byte[]> seeds = new ArrayList<>(GgufSeeds.all());
        seeds.add(file);
        run(file, header, seeds, 300, fixture.hashCode());
    }

    private static void run(byte[] file, int header, List<byte[]> seeds, int times, long seed) {
        Mutator mutator = new Mutator(new Random(seed), seeds);
        int refused = 0;
        for (int i = 0; i < times; i++) {
            byte[] damaged = mutator.mutate(file, header);
            try {
                refused += GgufProbe.probe(damaged) ? 0 : 1;
            } catch (RuntimeException | Error e) {
                String shown = HexFormat.of().formatHex(damaged, 0, Math.min(damaged.length, 2000));
                throw new AssertionError("mutation " + i + " of seed " + seed + ": " + shown, e);
            }
        }
        assertThat(refused).as("a mutator that does no damage tests nothing").isGreaterThan(times / 4);
    }

    @Test
    @Timeout(60)
    void damagedPartsOpenOrAreRefused() throws IOException {
        Path first = dir.resolve("m-00001-of-00002.gguf");
        Path second = dir.resolve("m-00002-of-00002.gguf");
        byte[] one = part(0).bytes();
        byte[] two = part(1).bytes();
        Mutator mutator = new Mutator(new Random(7), List.of(one, two));
        int opened = 0;
        for (int i = 0; i < 400; i++) {
            Files.write(first, i % 2 == 0 ? one : mutator.mutate(one, one.length));
            Files.write(second, i % 2 == 0 ? mutator.mutate(two, two.length) : two);
            try (GgufFile file = GgufFile.open(first)) {
                GgufProbe.readAll(file);
                opened++;
            } catch (PanamoeException e) {
                GgufProbe.checkMessage(e);
            }
        }
        assertThat(opened).isBetween(1, 300);
    }

    private static GgufWriter part(int number) {
        return new GgufWriter()
                .key("split.no", (short) number)
                .key("split.count", (short) 2)
                .key("split.tensors.count", 2)
                .tensor("t" + number, QuantType.Q8_0, 32, 4);
    }
}
