package dev.panamoe.gguf;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided fuzzing of the reader, run by the profile `fuzz`.
class GgufFuzzTest {
    static Stream<byte[]> seeds() {
        return GgufSeeds.all().stream();
    }

    @MethodSource("seeds")
    @FuzzTest
    void opensOrRefuses(byte[] bytes) {
        GgufProbe.probe(bytes);
    }
}
