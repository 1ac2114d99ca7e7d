package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.Session;
import dev.panamoe.sampling.SamplingParams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Failures that cannot be had at will: each becomes one line that says what to do.
class FailuresTest {
    @TempDir
    Path folder;

    static Arguments[] failures() {
        return new Arguments[] {
            Arguments.of(
                    new InternalError("a fault occurred in an unsafe memory access operation"),
                    "the model file was cut short"),
            Arguments.of(new OutOfMemoryError("Java heap space"), "PANAMOE_JAVA_OPTS=-Xmx"),
            Arguments.of(new OutOfMemoryError("Requested array size exceeds VM limit"), "PANAMOE_JAVA_OPTS=-Xmx"),
            Arguments.of(new OutOfMemoryError("Cannot reserve 4096 bytes of native memory"), "use a smaller --ctx"),
            Arguments.of(new StackOverflowError(), "PANAMOE_JAVA_OPTS=-Xss"),
            Arguments.of(new java.nio.file.AccessDeniedException("x.bin"), "x.bin: permission denied"),
            Arguments.of(new java.nio.file.NoSuchFileException("no/x.bin"), "no/x.bin: there is no such file"),
            Arguments.of(new IllegalStateException("two\nlines"), "unexpected: "),
            Arguments.of(new PanamoeException("model\u001B[2J: what is wrong"), "model\\u{1b}[2J: what is wrong"),
        };
    }

    @ParameterizedTest
    @MethodSource("failures")
    void oneLine(Throwable failure, String part) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console =
                Console.of(InputStream.nullInputStream(), new ByteArrayOutputStream(), err, false, false, true);
        assertThat(Failures.report(failure, console, false)).isEqualTo(ExitCode.FAILED);
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith("panamoe: ")
                .contains(part)
                .endsWith("\n")
                .hasLineCount(1);
    }

    /// Between two steps, that is: within one, the system's signal may find the JVM in code that cannot take it.
    @Test
    void aModelThatIsCutShortBetweenStepsIsNoticed() throws IOException {
        Path model = Files.copy(Path.of(Cli.fixture("gemma4-moe/model-q8_0.gguf")), folder.resolve("model.gguf"));
        try (Engine engine = Engine.open(model);
                Session session = engine.newSession()) {
            GenerationOptions one = GenerationOptions.of(SamplingParams.GREEDY).withMaxTokens(1);
            assertThat(session.complete(new int[] {5}, one, delta -> {}).tokens())
                    .hasSize(1);
            try (FileChannel channel = FileChannel.open(model, StandardOpenOption.WRITE)) {
                channel.truncate(8192);
            }
            assertThatThrownBy(() -> session.complete(new int[] {6}, one, delta -> {}))
                    .isInstanceOf(PanamoeException.class)
                    .hasMessageContaining("model.gguf");
        }
    }
}
