package dev.panamoe.cli;

import static dev.panamoe.cli.Dialogue.CTRL_C;
import static dev.panamoe.cli.Dialogue.CTRL_D;
import static dev.panamoe.cli.Dialogue.PROMPT;
import static dev.panamoe.cli.Dialogue.UP;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `chat` at a terminal that JLine imitates: keys go in, and what a person would see comes out.
@Timeout(60)
class ChatTerminalTest {
    private static final String FRANCE = "What is the capital of France?";
    /// Nearly random tokens, so that an answer goes on for long.
    private static final List<String> RAMBLING =
            List.of("--temp", "100", "--top-k", "0", "--top-p", "1", "--min-p", "0", "--ctx", "20000");

    @TempDir
    Path folder;

    private PipedOutputStream keys = new PipedOutputStream();
    private CompletableFuture<Integer> exit = CompletableFuture.completedFuture(0);

    static String[] rambling(String... more) {
        return Cli.args(RAMBLING, more);
    }

    private Dialogue start(String... options) throws Exception {
        PipedInputStream in = new PipedInputStream(1 << 16);
        keys = new PipedOutputStream(in);
        ByteArrayOutputStream screen = new ByteArrayOutputStream();
        Console console = Console.of(in, screen, screen, true, true, true);
        String[] args = Cli.args(List.of("chat"), options);
        exit = CompletableFuture.supplyAsync(() -> Main.run(args, console));
        Dialogue user = new Dialogue(keys, screen, exit::isDone);
        user.await(PROMPT);
        return user;
    }

    private void leave(Dialogue user) throws Exception {
        user.await(PROMPT);
        user.enter("/quit");
        assertThat(exit.get(20, TimeUnit.SECONDS)).isZero();
    }

    @AfterEach
    void close() throws IOException {
        keys.close();
    }

    @Test
    void aQuestionItsAnswerAndItsSpeed() throws Exception {
        Dialogue user = start("--temp", "0");
        user.enter(FRANCE);
        user.await("The capital of France is Paris.\n");
        user.await("\u001B[2mprompt 20 tokens (0 cached) | ");
        user.await("/1024\u001B[0m\n");
        leave(user);
    }

    @Test
    void ctrlCEndsTheAnswerAndTheConversationGoesOn() throws Exception {
        Path file = folder.resolve("talk.jsonl");
        Dialogue user = start(rambling("--seed", "1"));
        user.enter("Ramble");
        user.awaitAnswer();
        user.type(CTRL_C);
        user.await("stopped: the answer is remembered as far as it came\n");
        user.await(PROMPT);
        user.enter("/save " + file);
        user.await("2 messages saved");
        assertThat(Files.readAllLines(file))
                .hasSize(2)
                .last()
                .asString()
                .startsWith("{\"role\":\"assistant\",\"content\":\"")
                .hasSizeGreaterThan(50);
        user.await(PROMPT);
        // What was said before the interruption need not be read again, but for the empty thought before it.
        String first = user.screen().replaceAll("(?s).*prompt (\\d+) tokens .*", "$1");
        user.enter("Ramble");
        user.awaitAnswer();
        user.type(CTRL_C);
        user.await("stopped: the answer is");
        assertThat(user.screen()).contains(" tokens (" + (Integer.parseInt(first) - 4) + " cached)");
        leave(user);
    }

    @Test
    void aQuestionThatHasNoAnswerYetIsForgotten() throws Exception {
        Dialogue user = start(rambling("--seed", "4", "--model", "demo:deepseek"));
        user.enter("Ramble");
        user.awaitAnswer(); // in its reasoning
        user.type(CTRL_C);
        user.await("stopped before the answer began: this question is not remembered\n");
        user.await(PROMPT);
        user.enter("/stats");
        user.await("\n0 messages; 1 answer: ");
        leave(user);
    }

    @Test
    void ctrlCAtThePromptClearsTheLineAndTwiceLeaves() throws Exception {
        Dialogue user = start("--temp", "0");
        user.type("half a question" + CTRL_C);
        user.await("(Ctrl-C again or Ctrl-D leaves)");
        user.await(PROMPT);
        user.enter(FRANCE);
        user.await("Paris");
        user.await(PROMPT);
        user.type(CTRL_C);
        user.await("leaves)");
        user.await(PROMPT);
        user.type(CTRL_C);
        assertThat(exit.get(20, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void ctrlDLeaves() throws Exception {
        Dialogue user = start();
        user.type(CTRL_D);
        assertThat(exit.get(20, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void messagesOfSeveralLinesAndEarlierOnes() throws Exception {
        Path file = folder.resolve("talk.jsonl");
        Dialogue user = start("-n", "1");
        user.enter("one\\");
        user.await(". ");
        user.enter("two");
        user.await("context ");
        user.await(PROMPT);
        user.enter("\"\"\"three");
        user.await(". ");
        user.enter("four\"\"\"");
        user.await("context ");
        user.await(PROMPT);
        user.type("\u001B[200~pasted \\\rlines!!\u001B[201~\r");
        user.await("context ");
        user.await(PROMPT);
        user.type(UP + "\r");
        user.await("context ");
        user.await(PROMPT);
        user.enter("/save " + file);
        user.await("messages saved");
        assertThat(Files.readAllLines(file).stream()
                        .map(Cli.JSON::readTree)
                        .filter(m -> m.get("role").asString().equals("user"))
                        .map(m -> m.get("content").asString()))
                .containsExactly("one\ntwo", "three\nfour", "pasted \\\nlines!!", "pasted \\\nlines!!");
        leave(user);
    }

    @Test
    void tabCompletesCommandsAndFiles() throws Exception {
        Files.writeString(
                folder.resolve("my talk.jsonl"), "{\"role\":\"user\",\"content\":\"a\"}\n", StandardCharsets.UTF_8);
        Dialogue user = start();
        user.enter("/lo\t" + folder + "/my\t");
        user.await("1 message loaded");
        user.await(PROMPT);
        user.enter("/think fo\t");
        user.await(PROMPT);
        user.enter("/think");
        user.await("reasoning: fold");
        user.await(PROMPT);
        user.enter("/model demo:d\t");
        user.await("model demo:deepseek");
        leave(user);
    }

    @Test
    void mistakesDoNotEndTheConversation() throws Exception {
        Dialogue user = start("--temp", "0", "--ctx", "30");
        user.enter("/nonsense");
        user.await("panamoe: there is no command /nonsense");
        user.enter("/load /dev/zero");
        user.await("panamoe: /dev/zero: ");
        user.enter(
                "A question that is much longer than the context, which is told: what is the capital of Spain and France?");
        user.await("panamoe: with this message the conversation has ");
        user.enter(FRANCE);
        user.await("The capital of France is Paris.\n");
        leave(user);
    }

    @Test
    void foldedReasoningIsOneLineThatCounts() throws Exception {
        Dialogue user = start("--temp", "0", "--model", "demo:deepseek");
        user.enter("/think fold");
        user.await(PROMPT);
        user.enter(FRANCE);
        user.await("\u001B[2m\rthinking for 0.0 s, 1 token\u001B[K");
        user.await("thought for ");
        user.await("tokens\u001B[K\u001B[0m\n");
        user.await("The capital of France is Paris.\n");
        assertThat(user.screen()).doesNotContain("The question is about");
        leave(user);
    }

    /// What a model or a file says must not reach the terminal as a command.
    @Test
    void controlCharactersAreShown() throws Exception {
        Path file = Files.writeString(
                folder.resolve("evil.jsonl"),
                "{\"role\":\"system\",\"content\":\"\\u001b]0;owned\\u0007\\u009b2J\"}\n",
                StandardCharsets.UTF_8);
        Dialogue user = start();
        user.enter("/load " + file);
        user.await("loaded");
        user.await(PROMPT);
        user.enter("/system");
        user.await("\\x1b]0;owned\\x07\\x9b2J");
        assertThat(user.screen()).doesNotContain("\u001B]0;", "\u009B2J");
        leave(user);
    }
}
