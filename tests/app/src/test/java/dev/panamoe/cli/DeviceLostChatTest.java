package dev.panamoe.cli;

import static dev.panamoe.cli.Dialogue.PROMPT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What `chat` says when the device is lost, and that it goes on.
@Timeout(60)
class DeviceLostChatTest {
    private static final String QUESTION = "What is the opposite of hot?";
    private static final String LOST =
            "panamoe: the device lost:0 (soon lost) was lost: OpenCL: clFinish: it is gone; this request has failed, ";

    @TempDir
    private Path folder;

    private FaultyBackends.Offered offered;

    @BeforeEach
    void haveTheProvider() throws IOException {
        offered = new FaultyBackends.Offered(folder, LostProvider.class);
        LostProvider.READ.set(0);
    }

    @AfterEach
    void leaveNothing() throws IOException {
        offered.close();
    }

    private static String[] args(String... options) {
        return Cli.args(List.of("chat", "--temp", "0", "--backend", "lost"), options);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    reopen | a later one opens it again   | lost:0
                    cpu    | a later one goes on with cpu | cpu
                    """)
    void thePersonIsToldAndTheNextQuestionAnswered(String option, String next, String opened) throws Exception {
        PipedInputStream in = new PipedInputStream(1 << 16);
        try (PipedOutputStream keys = new PipedOutputStream(in)) {
            ByteArrayOutputStream screen = new ByteArrayOutputStream();
            Console console = Console.of(in, screen, screen, true, true, true);
            // A thread of its own has the class loader of this one.
            CompletableFuture<Integer> exit = CompletableFuture.supplyAsync(
                    () -> Main.run(args("--if-device-lost", option), console), task -> new Thread(task).start());
            Dialogue user = new Dialogue(keys, screen, exit::isDone);
            user.await(PROMPT);
            user.enter(QUESTION);
            user.await(LOST + next + "\n");
            user.await(PROMPT);
            user.enter(QUESTION);
            user.await("warning: the device lost:0 was lost; opening " + opened + "\n");
            user.await("The opposite of hot is cold.\n");
            user.await(PROMPT);
            user.enter("/quit");
            assertThat(exit.get(20, TimeUnit.SECONDS)).isZero();
        }
    }

    @Test
    void aProgramGetsAnExitCode() {
        Cli.Result result = new Cli().stdin(QUESTION + "\n" + QUESTION + "\n").with(args("-q"));
        assertThat(result.code()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err()).isEqualTo(LOST + "a later one opens it again\n");
    }
}
