package dev.panamoe.tokenizer;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided fuzzing of vocabularies and texts, run by the profile `fuzz`.
class TokenizerFuzzTest {
    static Stream<byte[]> seeds() {
        return TokenizerMutationTest.seeds().stream();
    }

    @MethodSource("seeds")
    @FuzzTest
    void encodesOrRefuses(byte[] bytes) {
        TokenizerProbe.probe(bytes);
    }
}
