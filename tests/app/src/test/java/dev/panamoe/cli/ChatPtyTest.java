package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panamoe.ffm.Os;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `chat` as a process of its own at a pseudo-terminal, where Ctrl-C is a signal. The terminal is made by `script`,
/// which every Debian and Ubuntu has.
@Timeout(90)
class ChatPtyTest {
    private static final Path SCRIPT = Path.of("/usr/bin/script");

    @TempDir
    Path folder;

    private final List<Process> started = new ArrayList<>();
    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();

    @BeforeAll
    static void needsAPseudoTerminal() throws Exception {
        boolean there = Os.isLinux()
                && Files.isExecutable(SCRIPT)
                && new ProcessBuilder("env", "--default-signal=INT", "true")
                                .start()
                                .waitFor()
                        == 0;
        if (System.getenv("PANAMOE_REQUIRE_ALL") != null) {
            assertThat(there).as("script of util-linux, env of coreutils").isTrue();
        }
        assumeTrue(there);
    }

    private Dialogue start(Map<String, String> environment, String... options) throws IOException {
        List<String> command = new ArrayList<>(ProcessTest.java(List.of(), List.of("chat")));
        command.addAll(List.of(options));
        // Whoever runs this test may have no terminal whose size could be taken, and may ignore the signal.
        String line = "stty cols 100 rows 30; exec env --default-signal=INT "
                + command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
        ProcessBuilder builder =
                new ProcessBuilder(SCRIPT.toString(), "-qec", line, "/dev/null").redirectErrorStream(true);
        builder.environment().putAll(Map.of("TERM", "xterm", "XDG_STATE_HOME", folder.toString()));
        builder.environment().remove("NO_COLOR");
        builder.environment().putAll(environment);
        Process process = builder.start();
        started.add(process);
        Thread reader = new Thread(() -> {
            try (InputStream in = process.getInputStream()) {
                in.transferTo(screen);
            } catch (IOException e) {
                // The process was ended.
            }
        });
        reader.setDaemon(true);
        reader.start();
        return new Dialogue(process.getOutputStream(), screen, () -> !process.isAlive() && !reader.isAlive());
    }

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    private int exitCode() throws InterruptedException {
        assertThat(started.getLast().waitFor(20, TimeUnit.SECONDS)).isTrue();
        return started.getLast().exitValue();
    }

    @Test
    void aConversation() throws Exception {
        Path file = folder.resolve("talk.jsonl");
        Dialogue user = start(Map.of(), ChatTerminalTest.rambling("--seed", "1"));
        user.await(Dialogue.PROMPT);
        user.enter("Ramble");
        user.awaitAnswer();
        user.type(Dialogue.CTRL_C);
        user.await("stopped: the answer is remembered");
        user.await(Dialogue.PROMPT);
        user.enter("/stats");
        user.await("2 messages; 1 answer: ");
        user.await("MiB resident");
        user.await(Dialogue.PROMPT);
        user.enter("/save " + file);
        user.await("2 messages saved");
        user.await(Dialogue.PROMPT);
        user.type(Dialogue.CTRL_C);
        user.await("leaves)");
        user.await(Dialogue.PROMPT);
        user.enter("/quit");
        assertThat(exitCode()).isZero();
        assertThat(file).exists();
        // Of the JVM there may be one warning, which the launcher keeps away.
        assertThat(user.screen().lines().filter(l -> l.contains("WARNING") && !l.contains("incubator")))
                .isEmpty();
        assertThat(folder.resolve("panamoe/history")).content().contains("Ramble", "/stats");
    }

    @Test
    void aDumbTerminalGetsNoEscapeSequences() throws Exception {
        Dialogue user = start(Map.of("TERM", "dumb"), "--temp", "0", "--model", "demo:deepseek");
        user.await(Dialogue.PROMPT);
        user.enter("What is the capital of France?");
        user.await("reasoning:");
        user.await("The capital of France is Paris.");
        user.await("context ");
        user.await(Dialogue.PROMPT);
        user.enter("/quit");
        assertThat(exitCode()).isZero();
        assertThat(user.screen()).doesNotContain("\u001B");
    }

    @Test
    void withoutColoursNothingIsDim() throws Exception {
        Dialogue user = start(Map.of("NO_COLOR", "1"), "--temp", "0", "--model", "demo:deepseek");
        user.await(Dialogue.PROMPT);
        user.enter("/think fold");
        user.await(Dialogue.PROMPT);
        user.enter("What is the capital of France?");
        user.await("\rthinking for 0.0 s, 1 token\u001B[K");
        user.await("The capital of France is Paris.");
        user.await(Dialogue.PROMPT);
        user.type(Dialogue.CTRL_D);
        assertThat(exitCode()).isZero();
        assertThat(user.screen()).doesNotContain("\u001B[2m", "\u001B[0m");
    }
}
