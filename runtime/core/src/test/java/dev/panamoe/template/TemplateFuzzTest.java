package dev.panamoe.template;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided fuzzing of templates, run by the profile `fuzz`.
class TemplateFuzzTest {
    static Stream<byte[]> seeds() {
        return TemplateMutationTest.seeds().stream();
    }

    @MethodSource("seeds")
    @FuzzTest
    void rendersOrRefuses(byte[] bytes) {
        TemplateProbe.probe(bytes);
    }
}
