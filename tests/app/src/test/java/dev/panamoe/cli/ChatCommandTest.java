package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `chat` with its input from a pipe: the conversation, the commands, and what a turn costs.
@Timeout(60)
class ChatCommandTest {
    private static final String FRANCE = "What is the capital of France?";
    private static final String PARIS = "The capital of France is Paris.\n";
    private static final String HOT = "What is the opposite of hot?";
    private static final String COLD = "The opposite of hot is cold.\n";

    private static final Pattern SPEED = Pattern.compile("prompt (\\d+) tokens \\((\\d+) cached\\)"
            + " \\| first token \\d+\\.\\d\\d s \\| generated (\\d+) tokens, \\d+\\.\\d tokens/s"
            + " \\| context (\\d+)/(\\d+)");

    @TempDir
    Path folder;

    /// What the speed line says of a turn.
    private record Turn(int prompt, int cached, int generated, int used, int context) {}

    private static Cli.Result chat(String input, String... options) {
        return new Cli().stdin(input).with(Cli.args(List.of("chat", "--temp", "0"), options));
    }

    private static String lines(String... lines) {
        return String.join("\n", lines) + "\n";
    }

    private static List<Turn> turns(Cli.Result result) {
        return SPEED.matcher(result.err())
                .results()
                .map(m -> new Turn(
                        Integer.parseInt(m.group(1)),
                        Integer.parseInt(m.group(2)),
                        Integer.parseInt(m.group(3)),
                        Integer.parseInt(m.group(4)),
                        Integer.parseInt(m.group(5))))
                .toList();
    }

    private static void fails(Cli.Result result, String... parts) {
        assertThat(result.errLines()).as(result.err()).hasSize(1);
        assertThat(result.err())
                .startsWith("panamoe: ")
                .contains(parts)
                .doesNotContain("unexpected")
                .doesNotContainPattern("[\\p{Cntrl}&&[^\n]]");
        assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    }

    @Test
    void eachLineIsAMessageAndStandardOutputGetsTheAnswersAlone() {
        Cli.Result result = chat(lines(FRANCE, "", HOT));
        assertThat(result.code()).isZero();
        assertThat(result.out()).isEqualTo(PARIS + COLD);
        assertThat(result.errLines()).hasSize(4);
        assertThat(result.errLines().get(0)).startsWith("backend ");
        assertThat(result.errLines().get(1))
                .matches("model demo:gemma4 \\| backend \\w+ \\| context 1024 positions; /help .*");
        assertThat(turns(result)).hasSize(2);
        assertThat(chat(lines(FRANCE), "--quiet"))
                .satisfies(quiet -> assertThat(quiet.err()).isEmpty())
                .satisfies(quiet -> assertThat(quiet.out()).isEqualTo(PARIS));
        assertThat(chat("").code()).isZero();
    }

    @Test
    void longerMessages() {
        Path file = folder.resolve("talk.jsonl");
        chat(
                lines(
                        "one\\",
                        "two",
                        "\"\"\"",
                        " three\\",
                        "",
                        "four",
                        "\"\"\"",
                        "\"\"\"five\"\"\"",
                        " /six",
                        "/save " + file),
                "-n",
                "1");
        assertThat(contents(file, "user")).containsExactly("one\ntwo", " three\\\n\nfour", "five", " /six");
        fails(chat("\"\"\"\nunended\n", "-q"), "standard input ends within a message", "\"\"\"");
        fails(new Cli().stdin(new byte[] {'a', (byte) 0xFF, '\n'}).with("chat", "-q"), "standard input is not UTF-8");
    }

    private static List<String> contents(Path file, String role) {
        try {
            return Files.readAllLines(file).stream()
                    .map(Cli.JSON::readTree)
                    .filter(m -> m.get("role").asString().equals(role))
                    .map(m -> m.get("content").asString())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What a turn need not read again is the prompt before, up to what the template puts there only to begin an
    /// answer: Gemma's empty thought (4 tokens) unless it is to think, DeepSeek's `<think>` and a newline. Both drop
    /// the reasoning from the history, so the answer behind it is read again.
    @ParameterizedTest
    @CsvSource({"demo:gemma4, --no-think, 4", "demo:gemma4, --think, 0", "demo:deepseek, --think, 2"})
    void aTurnReadsOnlyWhatIsNew(String model, String think, int tail) {
        List<Turn> turns = turns(chat(lines(FRANCE, HOT, FRANCE, HOT), "--model", model, think));
        assertThat(turns).hasSize(4);
        assertThat(turns.getFirst().cached()).isZero();
        for (int i = 1; i < turns.size(); i++) {
            assertThat(turns.get(i).cached()).isEqualTo(turns.get(i - 1).prompt() - tail);
        }
        for (Turn turn : turns) {
            // The token that ends the answer is not passed on.
            assertThat(turn.used()).isEqualTo(turn.prompt() + turn.generated() - 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo:gemma4", "demo:deepseek"})
    void whateverIsDoneToTheConversationTheAnswersAreThoseOfAFreshOne(String model) {
        Path file = folder.resolve("talk.jsonl");
        String fresh = chat(lines("/system You are brief.", FRANCE, HOT, "/save " + file), "--model", model, "-q")
                .out();
        List<Turn> expected = turns(chat(lines("/load " + file, FRANCE), "--model", model));

        Cli.Result busy = chat(
                lines(
                        "What sound does a cow make?",
                        FRANCE,
                        "/trim 1",
                        "/system Other.",
                        HOT,
                        "/reset",
                        "/system You are brief.",
                        FRANCE,
                        HOT,
                        "/reset",
                        "/load " + file,
                        FRANCE),
                "--model",
                model);
        assertThat(busy.code()).isZero();
        List<String> answers = busy.out().lines().toList();
        assertThat(String.join("\n", answers.subList(3, 5)) + "\n").isEqualTo(fresh);
        List<Turn> turns = turns(busy);
        // Another system message leaves nothing but the beginning.
        assertThat(turns.get(2).cached()).isLessThan(5);
        assertThat(turns.get(3).cached()).isLessThan(12);
        // What was loaded is what was there, so it is known.
        assertThat(turns.get(5).prompt()).isEqualTo(expected.getFirst().prompt());
        assertThat(turns.get(5).cached()).isGreaterThanOrEqualTo(turns.get(4).prompt() - 4);
        assertThat(expected.getFirst().cached()).isZero();
    }

    @Test
    void theSystemMessage() {
        Cli.Result result = chat(
                lines("/system", "/system Be kind.", "/system", "/reset", "/system", "/system -", "/system"),
                "-q",
                "--system",
                "First.");
        assertThat(result.errLines())
                .containsExactly(
                        "First.",
                        "the system message holds from the next answer on",
                        "Be kind.",
                        "a new conversation begins",
                        "Be kind.",
                        "the system message is removed",
                        "there is no system message");
    }

    @Test
    void savedConversationsGoOn() throws IOException {
        Path file = folder.resolve("my talk.jsonl");
        Cli.Result saved = chat(lines(FRANCE, "/save " + file), "-q", "--system", "Quote \" and \\ and é\u2028.");
        assertThat(saved.errLines()).containsExactly("3 messages saved to " + file);
        assertThat(Files.readAllLines(file))
                .hasSize(3)
                .last()
                .isEqualTo("{\"role\":\"assistant\",\"content\":\"The capital of France is Paris.\"}");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        Cli.Result loaded = chat(lines("/load " + file, "/system", HOT, "/save! " + file), "-q");
        assertThat(loaded.out()).isEqualTo(COLD);
        assertThat(loaded.errLines())
                .containsExactly("3 messages loaded", "Quote \" and \\ and é\u2028.", "5 messages saved to " + file);
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void reasoningAndCallsSurviveAFile() throws IOException {
        String talk = """
                {"role":"user","content":"Weather?"}
                {"role":"assistant","content":"","reasoning_content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}}]}
                {"role":"tool","content":"sunny","tool_call_id":"c1","name":"weather"}
                {"role":"assistant","content":"Sunny."}
                """;
        Path file = Files.writeString(folder.resolve("calls.jsonl"), talk);
        Path copy = folder.resolve("copy.jsonl");
        Cli.Result result = chat(lines("/load " + file, "/save " + copy), "-q");
        assertThat(result.errLines()).containsExactly("4 messages loaded", "4 messages saved to " + copy);
        assertThat(copy).hasContent(talk);
    }

    @Test
    void savingNeverLosesAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("precious"), "precious");
        fails(chat(lines(FRANCE, "/save " + file), "-q"), "precious: the file exists", "/save! ");
        fails(chat(lines("/save! " + file), "-q"), "nothing to save");
        fails(chat(lines(FRANCE, "/save! " + folder), "-q"), "directory");
        fails(chat(lines(FRANCE, "/save " + folder.resolve("no/such")), "-q"), "there is no folder");
        fails(chat(lines(FRANCE, "/save! /dev/null"), "-q"), "/dev/null: this is no regular file");
        fails(chat(lines(FRANCE, "/save a\0b"), "-q"), "this cannot be a file name");
        assertThat(file).hasContent("precious");
    }

    @Test
    void aFolderThatCannotBeWrittenToIsTold() {
        // There even root cannot.
        assumeThat(Path.of("/proc/self")).isDirectory();
        fails(
                chat(lines(FRANCE, "/save /proc/self/talk.jsonl"), "-q"),
                "panamoe: /proc/self/talk.jsonl: this cannot be written (");
    }

    @Test
    void trimmingCountsQuestionsAndKeepsTheSystemMessageWhereverItIs() throws IOException {
        fails(chat(lines(FRANCE, "/trim 2"), "-q"), "/trim takes 1 to 1, the number of questions, not 2");
        fails(chat(lines(FRANCE, "/trim x"), "-q"), "not x");
        Path file = Files.writeString(folder.resolve("talk.jsonl"), """
                {"role":"user","content":"a"}
                {"role":"assistant","content":"b"}
                {"role":"user","content":"c"}
                {"role":"system","content":"s"}
                {"role":"assistant","content":"d"}
                """);
        Path saved = folder.resolve("saved.jsonl");
        chat(lines("/load " + file, "/trim 1", "/save " + saved), "-q");
        assertThat(saved).content().containsOnlyOnce("system").doesNotContain("\"b\"");
        chat(lines("/load " + file, "/trim 2", "/save! " + saved), "-q");
        assertThat(saved).content().containsOnlyOnce("system").doesNotContain("\"d\"");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        {"role":"user","content":"a"}~{"role":"assistant"   | line 2, column 20: expected a JSON object
        {"role":"user","content":"a"}~~[1]                  | line 3: expected a JSON object, found an array
        {"role":"user"}                                     | line 1: expected {"role": "…", "content": "…"}, content is missing
        {"role":"user","content":7}                         | line 1: the content of a message is neither a string nor an array of parts
        {"role":"king","content":"a"}                       | line 1: there is no role "king"
        {"role":"user","content":"a"} {}                    | line 1, column 31: expected a JSON object
        ~                                                   | the file is empty
        """)
    void brokenFilesAreRefusedWithTheirLine(String content, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("talk.jsonl"), content.replace('~', '\n'));
        fails(chat(lines("/load " + file), "-q"), "talk.jsonl: " + message);
    }

    @Test
    void whatIsNoFileIsRefused() throws IOException {
        fails(chat(lines("/load " + folder.resolve("nothing")), "-q"), "there is no such file");
        fails(chat(lines("/load " + folder), "-q"), "no regular file");
        fails(chat(lines("/load /dev/zero"), "-q"), "/dev/zero: this is no regular file");
        Path binary = Files.write(folder.resolve("binary"), new byte[] {'{', (byte) 0xFF});
        fails(chat(lines("/load " + binary), "-q"), "binary: byte 1 is not UTF-8");
        Path deep = Files.writeString(folder.resolve("deep"), "[".repeat(1 << 20));
        fails(chat(lines("/load " + deep), "-q"), "deep: line 1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        /hepl      | there is no command /hepl; did you mean /help?
        /he        | did you mean /help?
        /frobnicate | there is no command /frobnicate; /help lists them (a message may begin with a blank)
        /save      | this command is written: /save FILE
        /reset now | this command is written: /reset
        /think     loudly | /think: there is no 'loudly', there are show, fold, hide
        /trim 1    | there is no question to drop yet
        /model /no/such.gguf | /no/such.gguf: there is no such file
        /model demo:nothing  | there are demo:deepseek, demo:gemma4
        """)
    void wrongCommands(String line, String message) {
        fails(chat(line + "\n", "-q"), message);
    }

    @Test
    void aSlashMayBeginAMessage() {
        Path file = folder.resolve("talk.jsonl");
        chat(lines("/etc/hosts", "// x", "/save " + file), "-n", "1", "-q");
        assertThat(contents(file, "user")).containsExactly("/etc/hosts", "// x");
    }

    @Test
    void helpKnowsEveryCommand() {
        Cli.Result result = chat(lines("/help", "/?"), "-q");
        for (SlashCommand command : SlashCommand.values()) {
            assertThat(result.err()).contains("  " + command.usage() + " ", command.description());
        }
        assertThat(result.out()).isEmpty();
    }

    @Test
    void quitLeavesTheRest() {
        assertThat(chat(lines(FRANCE, "/quit", HOT)).out()).isEqualTo(PARIS);
    }

    @Test
    void theModelCanBeChanged() {
        Cli.Result result = chat(lines(FRANCE, "/model", "/model demo:deepseek", HOT, "/model"));
        assertThat(result.code()).isZero();
        assertThat(result.out()).isEqualTo(PARIS + COLD);
        assertThat(result.errLines()).anyMatch(l -> l.startsWith("model demo:gemma4 | backend "));
        assertThat(result.errLines()).last().asString().startsWith("model demo:deepseek | backend ");
        assertThat(turns(result).get(1).cached()).isZero();
    }

    @Test
    void statsAddUp() {
        Cli.Result result = chat(lines(FRANCE, HOT, "/stats"));
        List<Turn> turns = turns(result);
        assertThat(result.err())
                .contains("4 messages; 2 answers: of "
                        + (turns.get(0).prompt() + turns.get(1).prompt()) + " prompt tokens "
                        + turns.get(1).cached() + " were known")
                .contains("; " + (turns.get(0).generated() + turns.get(1).generated()) + " tokens generated in ")
                .containsPattern("memory: \\d+ MiB resident .*, Java heap \\d+ of \\d+ MiB;");
    }

    @Test
    void reasoningIsShownFoldedOrHidden() {
        String said = "The question is about France.";
        Cli.Result result =
                chat(lines(FRANCE, "/think fold", FRANCE, "/think hide", FRANCE, "/think"), "--model", "demo:deepseek");
        assertThat(result.out()).isEqualTo(PARIS.repeat(3));
        assertThat(result.err()).containsOnlyOnce("reasoning:\n" + said);
        assertThat(result.err()).containsPattern("\nthought for \\d+\\.\\d s, \\d+ tokens\n");
        assertThat(result.err()).containsOnlyOnce("thought for");
        assertThat(result.err()).contains("reasoning: hide\n" + said);
    }

    @Test
    void aFullContextIsToldAndLosesNothing() {
        Path file = folder.resolve("talk.jsonl");
        Cli.Result result = chat(lines(FRANCE, HOT, FRANCE), "--ctx", "60", "-q");
        assertThat(result.out()).isEqualTo(PARIS + COLD);
        assertThat(result.code()).isEqualTo(ExitCode.FAILED);
        assertThat(result.errLines())
                .containsExactly("panamoe: with this message the conversation has 69 tokens, but the context holds 60;"
                        + " drop old questions with /trim N, begin anew with /reset, or start with a larger --ctx");
        Cli.Result trimmed = chat(lines(FRANCE, HOT, "/trim 1", FRANCE, "/save " + file), "--ctx", "60", "-q");
        assertThat(trimmed.out()).isEqualTo(PARIS + COLD + PARIS);
        assertThat(contents(file, "user")).containsExactly(HOT, FRANCE);

        Cli.Result cut = chat(lines(FRANCE, "/save! " + file), "--ctx", "25", "-q");
        assertThat(cut.err()).contains("the answer was cut off, because the context is full; ");
        assertThat(contents(file, "assistant")).singleElement().asString().isNotEmpty();
        assertThat(chat(lines(FRANCE), "-n", "3", "-q").err()).isEqualTo("the answer was cut off at -n 3 tokens\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        chat --temp x            | --temp
        chat -n 0                | -n
        chat --think --no-think  | exclude each other
        chat --stop=             | --stop
        chat hello               | hello
        """)
    void wrongUsage(String command, String part) {
        Cli.Result result = Cli.run(command.split(" "));
        assertThat(result.code()).isEqualTo(ExitCode.USAGE);
        assertThat(result.errLines()).hasSize(1).first().asString().contains(part, "panamoe chat --help");
    }

    @Test
    void aModelThatCannotConverseIsToldBeforeTheFirstMessage() throws IOException {
        String model =
                Files.readString(Path.of(Cli.fixture("gemma4-moe/model-q8_0.gguf")), StandardCharsets.ISO_8859_1);
        Path file = Files.writeString(
                folder.resolve("base.gguf"),
                model.replace("tokenizer.chat_template", "tokenizer.chat_nothing."),
                StandardCharsets.ISO_8859_1);
        fails(chat("", "-q", "--model", file.toString()), "base.gguf: the file has no chat template");
    }

    @Test
    void whereTheHistoryLies() throws IOException {
        Path state = folder.resolve("state");
        Path file =
                InputHistory.file(Map.of("XDG_STATE_HOME", state.toString())).orElseThrow();
        assertThat(file).isEqualTo(state.resolve("panamoe/history")).isEmptyFile();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
                .isEqualTo("rwx------");
        assertThat(InputHistory.file(Map.of("XDG_STATE_HOME", "relative", "HOME", folder.toString())))
                .contains(folder.resolve(".local/state/panamoe/history"));
        Path noFolder = Files.writeString(folder.resolve("file"), "", StandardCharsets.UTF_8);
        assertThat(InputHistory.file(Map.of("XDG_STATE_HOME", noFolder.toString())))
                .isEmpty();
    }
}
