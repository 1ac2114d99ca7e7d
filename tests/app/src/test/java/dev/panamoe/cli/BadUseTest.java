package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Whatever is wrong is told in one line on standard error, with the exit code that says whose fault it is.
class BadUseTest {
    @TempDir
    Path folder;

    private static void fails(Cli.Result result, int code, String... parts) {
        assertThat(result.errLines()).as(result.err()).hasSize(1);
        assertThat(result.err()).startsWith("panamoe: ").contains(parts);
        assertThat(result.err()).doesNotContain("\tat ").doesNotContainPattern("[\\p{Cntrl}&&[^\n]]");
        assertThat(result.code()).isEqualTo(code);
        assertThat(result.out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    run --temp x hi               | --temp
                    run --temp -1 hi              | --temp must be from 0 to 1000, not -1;
                    run --temp NaN hi             | --temp must be
                    run --top-p 2 hi              | --top-p must be
                    run --min-p -0.1 hi           | --min-p must be
                    run --top-k -1 hi             | --top-k must be
                    run --repeat-last-n -2 hi     | --repeat-last-n must be
                    run --seed 1.5 hi             | --seed
                    run -n 0 hi                   | option '-n': 0 is not 1 or more
                    run -n -5 hi                  | option '-n': -5 is not 1 or more
                    run --ctx 0 hi                | --ctx
                    run --ctx 99999999999 hi      | --ctx
                    run --threads 0 hi            | --threads
                    run --threads 100000 hi       | --threads
                    run --cache-type q4 hi        | option '--cache-type': there is no 'q4', there are f32, f16, bf16, q8_0, q4_0;
                    chat --if-device-lost wait    | option '--if-device-lost': there is no 'wait', there are reopen, cpu, fail;
                    run --backend tpu hi          | no backend 'tpu', there are auto, cpu
                    run --backend cpu:3 hi        | no device 'cpu:3', of cpu there is cpu;
                    run --version                 | --version
                    verify --version              | --version
                    help frobnicate               | subcommand 'frobnicate';
                    inspect --model a b           | exclude each other
                    verify --tokens 1 hi          | exclude each other
                    run --tokens 1,x              | --tokens
                    run --tokens 1,2 hi           | exclude each other
                    run --raw --system be hi      | --system
                    run --think --no-think hi     | exclude each other
                    run --json-object --grammar x hi | exclude each other
                    run --json-schema x --grammar x hi | exclude each other
                    run --raw --tools t.json hi   | --tools
                    run --wrong hi                | --wrong
                    run --model                   | --model
                    frobnicate                    | no command 'frobnicate', there are run
                    logits --tokens 1             | --out
                    perplexity                    | --file
                    perplexity --file x --method y | no 'y', there are lines, chat, chunks512;
                    template                      | --input
                    template --input x --now y    | --now
                    tokenize --decode 1 hi        | exclude each other
                    verify -n 0                   | -n
                    bench -p 0                    | option '-p': 0 is not 1 or more
                    bench -n 4,x                  | option '-n': 'x' is neither a number of tokens nor none;
                    bench -p none -n none         | leave nothing to time
                    bench -r 0                    | option '-r': 0 is not 1 or more
                    bench --depth -1              | option '--depth': -1 is not 0 or more
                    bench --threads 1,0           | option '--threads': 0 is not 1 or more
                    bench --threads 5000          | --threads is 5000, expected 1 to 4096;
                    bench --backend cpu,tpu       | option '--backend': there is no backend 'tpu', there are auto, cpu
                    bench --warm-up -1            | option '--warm-up': -1.0 is not between 0 and 3600 seconds
                    bench --parity-tokens 0       | option '--parity-tokens': 0 is not 1 or more
                    bench --json --csv            | exclude each other
                    bench --csv --profile         | --csv has no place for --profile
                    bench --ceilings --profile    | --ceilings measures no model
                    bench --depth 2147483647      | more than any context holds
                    verify --against tpu          | no backend 'tpu'
                    devices what                  | what
                    embed --pooling max hi        | option '--pooling': there is no 'max', there are mean, cls, last;
                    embed --lines hi              | exclude each other
                    """)
    void wrongUsageIsTwo(String command, String part) {
        fails(Cli.run(command.split(" ")), ExitCode.USAGE, part, "--help'");
    }

    @Test
    void noCommandIsWrongUsage() {
        fails(Cli.run(), ExitCode.USAGE, "which command?", "run");
    }

    @Test
    void aTerminalWithoutAPromptIsWrongUsage() {
        fails(new Cli().keyboard().with("run"), ExitCode.USAGE, "PROMPT is missing");
        fails(new Cli().keyboard().with("tokenize"), ExitCode.USAGE, "TEXT is missing");
        fails(new Cli().keyboard().with("embed"), ExitCode.USAGE, "TEXT is missing");
    }

    @ParameterizedTest
    @CsvSource({"run", "inspect", "tokenize", "embed", "verify", "logits", "perplexity", "template"})
    void everyCommandRefusesAMissingModel(String command) {
        String[] args = switch (command) {
            case "logits" ->
                new String[] {
                    command, "--tokens", "1", "--out", folder.resolve("o").toString()
                };
            case "perplexity" ->
                new String[] {
                    command, "--file", Cli.DATA.resolve("models/heldout.txt").toString()
                };
            case "template" -> new String[] {command, "--input", "-"};
            case "inspect" -> new String[] {command};
            default -> new String[] {command, "hi"};
        };
        Cli.Result result =
                new Cli().stdin("{}").with(Cli.args(java.util.List.of(args), "--model", "/no/such/model.gguf"));
        fails(result, ExitCode.FAILED, "/no/such/model.gguf: there is no such file");
    }

    @Test
    void modelsThatAreNone() throws IOException {
        fails(Cli.run("run", "--model", folder.toString(), "hi"), ExitCode.FAILED, "directory");
        Path empty = Files.createFile(folder.resolve("empty.gguf"));
        fails(Cli.run("run", "--model", empty.toString(), "hi"), ExitCode.FAILED, "empty.gguf");
        Path text = Files.writeString(folder.resolve("text.gguf"), "this is a text and no model at all, by far");
        fails(Cli.run("inspect", text.toString()), ExitCode.FAILED, "text.gguf");
        fails(Cli.run("run", "--model", "demo:nothing", "hi"), ExitCode.FAILED, "demo:deepseek, demo:gemma4");
        fails(Cli.run("run", "--model", "a\0b", "hi"), ExitCode.FAILED, "cannot be a file name");
        fails(Cli.run("run", "--model", "a\u001B[31m\nb", "hi"), ExitCode.FAILED, "a\\u{1b}[31m\\nb");
    }

    @Test
    void anUnknownArchitectureNamesTheKnownOnes() throws IOException {
        byte[] model = Files.readAllBytes(Path.of(Cli.fixture("gemma4-moe/model-q8_0.gguf")));
        // The first text "gemma4" is the value of general.architecture; the same length keeps the file sound.
        replaceFirst(model, "gemma4", "mamba9");
        Path file = Files.write(folder.resolve("mamba.gguf"), model);
        fails(Cli.run("run", "--model", file.toString(), "hi"), ExitCode.FAILED, "'mamba9'", "deepseek2, gemma4");
        Cli.Result inspected = Cli.run("inspect", file.toString());
        assertThat(inspected.code()).isZero();
        assertThat(inspected.out())
                .startsWith("mamba.gguf: does not run here: the architecture 'mamba9' is not supported")
                .contains("tensors");
        JsonNode json = Cli.run("inspect", "--json", file.toString()).json();
        assertThat(json.get("runs").asBoolean()).isFalse();
        assertThat(json.get("missing").size()).isEqualTo(1);
    }

    /// Before anything is made of the model: its weights do not even fit the head size that was put in.
    @Test
    void aCacheTypeWhoseBlocksDoNotDivideAHeadIsRefused() throws IOException {
        byte[] model = Files.readAllBytes(Path.of(Cli.fixture("gemma4-moe/model-q8_0.gguf")));
        for (String key : new String[] {"attention.key_length_swa", "attention.value_length_swa"}) {
            replaceFirst(model, key + "\4\0\0\0 \0\0\0", key + "\4\0\0\0\20\0\0\0");
        }
        replaceFirst(model, "rope.dimension_count_swa\4\0\0\0 \0\0\0", "rope.dimension_count_swa\4\0\0\0\20\0\0\0");
        String file = Files.write(folder.resolve("heads.gguf"), model).toString();
        for (String type : new String[] {"q8_0", "q4_0"}) {
            fails(
                    Cli.run("run", "--model", file, "--cache-type", type, "hi"),
                    ExitCode.FAILED,
                    "heads.gguf: keys of layer 0 have 16 values a head",
                    "use --cache-type f16 or bf16");
        }
        assertThat(Cli.run("inspect", "--cache-type", "q8_0", file).out())
                .contains("keys of layer 0 have 16 values a head", "attn_q.weight has shape");
        assertThat(Cli.run("inspect", "--cache-type", "bf16", file).out()).doesNotContain("values a head");
    }

    private static void replaceFirst(byte[] bytes, String old, String replacement) {
        int at = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(old);
        assertThat(at).isPositive();
        byte[] with = replacement.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        System.arraycopy(with, 0, bytes, at, with.length);
    }

    @Test
    void aTruncatedModelIsRefused() throws IOException {
        byte[] model = Files.readAllBytes(Path.of(Cli.fixture("gemma4-moe/model-q8_0.gguf")));
        Path file = Files.write(folder.resolve("cut.gguf"), java.util.Arrays.copyOf(model, model.length / 2));
        fails(Cli.run("run", "--model", file.toString(), "hi"), ExitCode.FAILED, "cut.gguf");
    }

    @Test
    void aBackendThatIsNotUsableSaysWhyAndWhatToDo() {
        String unusable = Cli.run("devices", "--json")
                .json()
                .get("backends")
                .valueStream()
                .filter(b -> !b.get("usable").asBoolean())
                .map(b -> b.get("name").asString())
                .findFirst()
                .orElse("");
        org.junit.jupiter.api.Assumptions.assumeFalse(unusable.isEmpty(), "everything is usable here");
        fails(Cli.run("run", "--backend", unusable, "hi"), ExitCode.FAILED, "'" + unusable + "' is not usable here: ");
    }

    @Test
    void aContextLongerThanMemoryNamesWhatWouldFit() {
        fails(quiet("run", "--ctx", "2000000000", "hi"), ExitCode.FAILED, "2000000000", "use a --ctx of at most");
    }

    @Test
    void aPromptLongerThanTheContextSaysBoth() {
        fails(quiet("run", "--ctx", "4", "What is the capital of France?"), ExitCode.FAILED, "context holds 4");
    }

    @Test
    void aTextToEmbedThatIsLongerThanTheContext() {
        fails(
                quiet("embed", "--ctx", "4", "a", "What is the capital of France?"),
                ExitCode.FAILED,
                "text 2 has",
                "context holds 4",
                "--truncate");
        fails(
                new Cli().stdin(new byte[] {'a', (byte) 0xFF}).with("embed", "-q"),
                ExitCode.FAILED,
                "standard input: byte 1 is not UTF-8");
    }

    @Test
    void aMegabyteOnStandardInputIsReadAndRefused() {
        Cli.Result result = new Cli().stdin("a".repeat(1 << 20)).with("run", "--raw", "-q");
        fails(result, ExitCode.FAILED, "the prompt has 1048577 tokens", "--ctx");
    }

    @Test
    void standardInputThatIsNoTextIsRefused() {
        Cli.Result result =
                new Cli().stdin(new byte[] {'a', 'b', (byte) 0xFF, 'c'}).with("run", "-q");
        fails(result, ExitCode.FAILED, "standard input: byte 2 is not UTF-8");
    }

    @Test
    void anEmptyPromptIsWrongUsage() {
        fails(new Cli().stdin("").with("run"), ExitCode.USAGE, "the PROMPT is empty");
        fails(Cli.run("run", ""), ExitCode.USAGE, "the PROMPT is empty");
        fails(Cli.run("run", "--raw", ""), ExitCode.USAGE, "the PROMPT is empty");
        fails(Cli.run("verify", ""), ExitCode.USAGE, "the PROMPT is empty");
        fails(new Cli().stdin("").with("embed"), ExitCode.USAGE, "the TEXT is empty");
        fails(new Cli().stdin("\n").with("embed"), ExitCode.USAGE, "the TEXT is empty");
        fails(new Cli().stdin("").with("embed", "--lines"), ExitCode.USAGE, "the TEXT is empty");
        fails(new Cli().stdin("a\n\nb\n").with("embed", "--lines"), ExitCode.USAGE, "line 2 is empty");
        fails(Cli.run("embed", "a", ""), ExitCode.USAGE, "TEXT 2 is empty");
        fails(Cli.run("run", "--stop", "", "hi"), ExitCode.USAGE, "'--stop': the text is empty");
    }

    @Test
    void idsBeyondTheVocabulary() {
        fails(quiet("run", "--tokens", "1,2048"), ExitCode.FAILED, "token 2048", "2047");
        fails(quiet("run", "--tokens", "-1"), ExitCode.FAILED, "token -1");
        fails(Cli.run("tokenize", "--decode", "5000"), ExitCode.FAILED, "token 5000");
        String out = folder.resolve("logits").toString();
        fails(quiet("logits", "--tokens", "5000", "--out", out), ExitCode.FAILED, "token 5000");
        assertThat(Path.of(out)).doesNotExist();
        fails(quiet("verify", "--tokens", "5000"), ExitCode.FAILED, "token 5000");
        fails(quiet("verify", "-n", "2147483647"), ExitCode.FAILED, "the context holds");
        fails(quiet("logits", "--tokens", "1,2,3", "--ctx", "2", "--out", out), ExitCode.FAILED, "context of 2 ");
    }

    @Test
    void inputsThatAreNoJson() throws IOException {
        Path file = Files.writeString(folder.resolve("case.json"), "{\"messages\": [");
        fails(
                Cli.run("template", "--input", file.toString()),
                ExitCode.FAILED,
                "case.json: line 1",
                "close marker for Array\n");
        for (String[] other :
                new String[][] {{"[1]", "an array"}, {"3", "a number"}, {"null", "null"}, {"", "nothing"}}) {
            Path list = Files.writeString(folder.resolve("list.json"), other[0]);
            fails(
                    Cli.run("template", "--input", list.toString()),
                    ExitCode.FAILED,
                    "list.json: expected a JSON object, found " + other[1] + "\n");
        }
        fails(Cli.run("template", "--input", folder.toString()), ExitCode.FAILED, "directory");
        Path chat = Files.writeString(folder.resolve("chat.jsonl"), "{\"text\": 5}\n");
        fails(Cli.run("perplexity", "-q", "--file", chat.toString()), ExitCode.FAILED, "line 1", "\"text\"");
    }

    @Test
    void aTextThatIsTooShortToScore() throws IOException {
        Path file = Files.writeString(folder.resolve("short.txt"), "one\n");
        fails(
                Cli.run("perplexity", "-q", "--method", "chunks512", "--file", file.toString()),
                ExitCode.FAILED,
                "short.txt: the text has",
                "a chunk takes 512");
        Path empty = Files.writeString(folder.resolve("empty.txt"), "\n\n");
        fails(Cli.run("perplexity", "-q", "--file", empty.toString()), ExitCode.FAILED, "nothing to score");
    }

    @Test
    void grammarsThatAreNone() throws IOException {
        fails(
                Cli.run("run", "--grammar", "/no/such.gbnf", "hi"),
                ExitCode.FAILED,
                "/no/such.gbnf: there is no such file");
        Path grammar = Files.writeString(folder.resolve("bad.gbnf"), "root ::= \"a\"\nroot ::=");
        fails(
                Cli.run("run", "--grammar", grammar.toString(), "hi"),
                ExitCode.FAILED,
                "bad.gbnf: line 2, column 1: rule root is defined twice");
        Path schema = Files.writeString(folder.resolve("bad.json"), "{\"type\": \"string\", \"not\": {}}");
        fails(
                Cli.run("run", "--json-schema", schema.toString(), "hi"),
                ExitCode.FAILED,
                "bad.json: #: keyword \"not\" is not supported");
        fails(
                new Cli().stdin("{").with("run", "--json-schema", "-", "hi"),
                ExitCode.FAILED,
                "standard input: line 1, column");
    }

    @Test
    void resultsThatCannotBeWritten() {
        String nowhere = folder.resolve("no/such/folder/logits").toString();
        fails(Cli.run("logits", "--tokens", "1", "--out", nowhere), ExitCode.FAILED, "folder of this file");
        fails(Cli.run("logits", "--tokens", "1", "--out", folder.toString()), ExitCode.FAILED, folder.toString());
    }

    @Test
    void aBenchmarkThatCannotBeIsRefusedBeforeAnythingIsTimed() throws IOException {
        fails(
                quiet("bench", "-p", "16", "-n", "none", "--depth", "0,5000"),
                ExitCode.FAILED,
                "demo:gemma4: pp16 at a depth of 5000 takes 5016 positions, but the model was trained for 1024");
        fails(quiet("bench", "--model", "/no/such.gguf"), ExitCode.FAILED, "/no/such.gguf");
        String nowhere = folder.resolve("no/such/folder/r.html").toString();
        fails(quiet("bench", "--report", nowhere), ExitCode.FAILED, "the folder of this file does not exist");
        fails(quiet("bench", "--report", folder.toString()), ExitCode.FAILED, "this is a folder");
        Path model = Files.writeString(folder.resolve("m.gguf"), "no model");
        fails(
                quiet("bench", "--model", model.toString(), "--report", model.toString()),
                ExitCode.FAILED,
                "this is the model itself");
        assertThat(model).hasContent("no model");
    }

    @Test
    void debugAddsTheStackTrace() {
        Cli.Result result = Cli.run("run", "--debug", "--model", "/no/such", "hi");
        assertThat(result.code()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err()).contains("panamoe: /no/such").contains("\tat dev.panamoe");
    }

    /// Notes on standard error would be a second line.
    private static Cli.Result quiet(String... args) {
        return Cli.run(Cli.args(java.util.List.of(args), "-q"));
    }

    /// A result that is written over the model would destroy it.
    @Test
    void resultsDoNotOverwriteTheModelOrEachOther() throws IOException {
        Path model = folder.resolve("model.gguf");
        Path fixtures = Path.of(System.getProperty("panamoe.testdata"), "fixtures");
        Files.copy(fixtures.resolve("gemma4-moe/model-q4_0.gguf"), model);
        byte[] before = Files.readAllBytes(model);
        String other = folder.resolve("other").toString();
        String name = model.toString();
        fails(
                Cli.run("logits", "-q", "-m", name, "--tokens", "5", "--out", name),
                ExitCode.FAILED,
                "this is the model itself");
        fails(
                Cli.run("logits", "-q", "-m", name, "--tokens", "5", "--out", other, "--hidden", name),
                ExitCode.FAILED,
                "this is the model itself");
        fails(
                Cli.run("logits", "-q", "-m", name, "--tokens", "5", "--out", other, "--hidden", folder + "/./other"),
                ExitCode.FAILED,
                "the same file");
        assertThat(Files.readAllBytes(model)).isEqualTo(before);
    }
}
