package dev.panamoe.grammar;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided fuzzing of the grammar and the schema parser, run by the profile `fuzz`.
class GrammarFuzzTest {
    static Stream<byte[]> seeds() {
        return GrammarProbe.SEEDS.stream().map(s -> s.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @FuzzTest
    void parsesOrRefuses(byte[] text) {
        GrammarProbe.probe(new String(text, StandardCharsets.UTF_8));
    }
}
