package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What other programs rely on in `run`.
class RunCommandTest {
    private static final String QUESTION = "What is the capital of France?";
    private static final String ANSWER = "The capital of France is Paris.";

    @Test
    void theAnswerAloneIsOnStandardOutput() {
        Cli.Result result = Cli.run("run", "--temp", "0", QUESTION);
        assertThat(result.code()).isZero();
        assertThat(result.out()).isEqualTo(ANSWER + "\n");
        assertThat(result.err())
                .hasLineCount(2)
                .containsPattern("^backend \\w+: .* \\(.*not reference: slow[;)]")
                .containsPattern("\nload \\d+\\.\\d+ s \\| prompt \\d+ tokens, \\d+\\.\\d tokens/s"
                        + " \\| generated \\d+ tokens, \\d+\\.\\d tokens/s \\| backend \\w+\n$");
    }

    @Test
    void theAnswerObeysASchemaOrAGrammar(@org.junit.jupiter.api.io.TempDir java.nio.file.Path folder)
            throws java.io.IOException {
        var schema = java.nio.file.Files.writeString(
                folder.resolve("s.json"),
                "{\"properties\":{\"city\":{\"type\":\"string\",\"maxLength\":20}},\"required\":[\"city\"]}");
        Cli.Result result = Cli.run("run", "--temp", "0", "-q", "--json-schema", schema.toString(), QUESTION);
        assertThat(result.out()).matches("\\{\\s*\"city\":\\s*\"[^\"]{0,20}\"\\s*}\n");
        var grammar = java.nio.file.Files.writeString(folder.resolve("g.gbnf"), "root ::= \"Paris\" | \"Rome\"");
        result = Cli.run("run", "--temp", "0", "-q", "--grammar", grammar.toString(), QUESTION);
        assertThat(result.out()).isEqualTo("Paris\n");
        assertThat(Cli.run("run", "--json", "-q", "--seed", "1", "-n", "1", "--json-object", QUESTION)
                        .json()
                        .get("text")
                        .asString())
                .startsWith("{");
    }

    @Test
    void anAnswerThatIsCutUnawaresIsTold() {
        assertThat(Cli.run("run", "--temp", "0", "-n", "3", QUESTION).err()).doesNotContain("cut off");
        assertThat(Cli.run("run", "--temp", "0", "-n", "1", "--json-object", QUESTION)
                        .errLines())
                .hasSize(3)
                .contains("the answer was cut off at -n 1 tokens; it need not have the form that was asked for");
        assertThat(Cli.run("run", "--temp", "0", "--ctx", "40", "--ignore-eos", QUESTION)
                        .errLines())
                .contains("the answer was cut off because the context is full; a larger --ctx holds more");
    }

    @Test
    void theChoiceOfABackendIsOneLine() {
        assertThat(Notes.choice(java.util.List.of(
                        "backend b: best", "not a: slow; for tests", "not c: no driver", "not d: no driver; remedy")))
                .isEqualTo("backend b: best (not a: slow; not c, d: no driver)");
        assertThat(Notes.choice(java.util.List.of("backend b:1: asked for"))).isEqualTo("backend b:1: asked for");
    }

    @Test
    void aTokenizerThatTheFileDoesNotNameIsWarnedOf(@org.junit.jupiter.api.io.TempDir java.nio.file.Path folder)
            throws java.io.IOException {
        var fixture = java.nio.file.Path.of(System.getProperty("panamoe.testdata"), "fixtures/qwen3-moe/model.gguf");
        String sound = java.nio.file.Files.readString(fixture, java.nio.charset.StandardCharsets.ISO_8859_1);
        var unnamed = java.nio.file.Files.writeString(
                folder.resolve("m.gguf"),
                sound.replace("tokenizer.ggml.pre", "tokenizer.ggml.PRE"),
                java.nio.charset.StandardCharsets.ISO_8859_1);
        Cli.Result result = Cli.run("run", "--model", unnamed.toString(), "--raw", "-n", "1", "Hello");
        assertThat(result.code()).isZero();
        assertThat(result.errLines())
                .filteredOn(line -> line.startsWith("warning: "))
                .singleElement()
                .asString()
                .contains("tokenizer.ggml.pre", "convert the model again");
    }

    @Test
    void aContextBeyondTheTrainedOneIsWarnedOf() {
        Cli.Result result = Cli.run("run", "--temp", "0", "--ctx", "1025", QUESTION);
        assertThat(result.out()).isEqualTo(ANSWER + "\n");
        assertThat(result.errLines())
                .hasSize(3)
                .contains("warning: the model was trained for 1024 positions, --ctx asks for 1025");
        assertThat(Cli.run("run", "--temp", "0", "--ctx", "1024", QUESTION).err())
                .doesNotContain("warning");
    }

    @Test
    void wordsAreJoinedByASpace() {
        Cli.Result result = Cli.run("run", "--temp", "0", "-q", "What", "is", "the", "capital", "of", "France?");
        assertThat(result.out()).isEqualTo(ANSWER + "\n");
        assertThat(result.err()).isEmpty();
    }

    @Test
    void standardInputIsThePromptWhenNoneIsGiven() {
        Cli.Result result = new Cli().stdin(QUESTION).with("run", "--temp", "0");
        assertThat(result.out()).isEqualTo(ANSWER + "\n");
    }

    @Test
    void aGivenPromptLeavesStandardInputAlone() {
        Cli.Result result = new Cli().stdin("What is the opposite of hot?").with("run", "--temp", "0", QUESTION);
        assertThat(result.out()).isEqualTo(ANSWER + "\n");
    }

    @Test
    void jsonIsOneObjectAndNothingElse() {
        Cli.Result result = Cli.run("run", "--json", "--temp", "0", QUESTION);
        assertThat(result.code()).isZero();
        assertThat(result.out()).endsWith("}\n").hasLineCount(1);
        JsonNode json = result.json();
        assertThat(json.get("text").asString()).isEqualTo(ANSWER);
        assertThat(json.get("reasoning").asString()).isEmpty();
        assertThat(json.get("finish_reason").asString()).isEqualTo("stop");
        JsonNode usage = json.get("usage");
        assertThat(usage.get("completion_tokens").asInt())
                .isEqualTo(json.get("tokens").size());
        assertThat(usage.get("total_tokens").asInt())
                .isEqualTo(
                        usage.get("prompt_tokens").asInt() + json.get("tokens").size());
        assertThat(usage.get("cached_tokens").asInt()).isZero();
        JsonNode timings = json.get("timings");
        assertThat(timings.get("load_ms").asDouble()).isPositive();
        assertThat(timings.get("prompt_ms").asDouble()).isPositive();
        assertThat(timings.get("prompt_tokens_per_second").asDouble()).isPositive();
        assertThat(timings.get("generation_ms").asDouble()).isPositive();
        assertThat(timings.get("generation_tokens_per_second").asDouble()).isPositive();
        assertThat(json.get("model").asString()).isEqualTo("demo:gemma4");
        assertThat(json.get("backend").asString()).isNotEmpty();
        assertThat(json.get("seed").isIntegralNumber()).isTrue();
    }

    @Test
    void textAndJsonSayTheSame() {
        String[] options = {"run", "--raw", "-n", "12", "--seed", "5", "--temp", "1", "Once upon a time"};
        String text = Cli.run(options).out();
        JsonNode json =
                new Cli().with(Cli.args(java.util.List.of(options), "--json")).json();
        assertThat(text).isEqualTo(json.get("text").asString() + "\n");
        assertThat(json.get("tokens").size()).isEqualTo(12);
        assertThat(json.get("finish_reason").asString()).isEqualTo("length");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", "3"})
    void theSameSeedGivesTheSameTextOnAnyNumberOfThreads(String threads) {
        JsonNode json = Cli.run(
                        "run",
                        "--raw",
                        "--json",
                        "-n",
                        "10",
                        "--seed",
                        "99",
                        "--temp",
                        "1.5",
                        "--threads",
                        threads,
                        "Once")
                .json();
        JsonNode single = Cli.run(
                        "run", "--raw", "--json", "-n", "10", "--seed", "99", "--temp", "1.5", "--threads", "1", "Once")
                .json();
        assertThat(json.get("tokens")).isEqualTo(single.get("tokens"));
        assertThat(json.get("seed").asLong()).isEqualTo(99);
    }

    @Test
    void withoutASeedTwoRunsDiffer() {
        String[] args = {"run", "--raw", "--json", "-n", "1", "x"};
        assertThat(Cli.run(args).json().get("seed"))
                .isNotEqualTo(Cli.run(args).json().get("seed"));
    }

    @Test
    void rawTextAndItsTokensAreTheSamePrompt() {
        JsonNode ids = Cli.run("tokenize", "--json", "Once upon a time").json().get("ids");
        String list = String.join(",", ids.valueStream().map(JsonNode::asString).toList());
        JsonNode byTokens = Cli.run("run", "--json", "--temp", "0", "-n", "8", "--tokens", list)
                .json();
        JsonNode byText = Cli.run("run", "--json", "--temp", "0", "-n", "8", "--raw", "Once upon a time")
                .json();
        assertThat(byTokens.get("tokens")).isEqualTo(byText.get("tokens"));
        assertThat(byTokens.get("usage").get("prompt_tokens").asInt()).isEqualTo(ids.size());
    }

    @Test
    void reasoningIsShownApart() {
        Cli.Result result = Cli.run("run", "--model", "demo:deepseek", "--temp", "0", "Hello!");
        assertThat(result.out()).isEqualTo("Hello! I am well, thank you. How can I help?\n");
        assertThat(result.err()).contains("\nreasoning:\nThe user is talking to me. I answer kindly.\n");
        JsonNode json = Cli.run("run", "--model", "demo:deepseek", "--temp", "0", "--json", "Hello!")
                .json();
        assertThat(json.get("text").asString()).isEqualTo("Hello! I am well, thank you. How can I help?");
        assertThat(json.get("reasoning").asString()).contains("The user is talking to me. I answer kindly.");
        Cli.Result quiet = Cli.run("run", "--model", "demo:deepseek", "--temp", "0", "-q", "Hello!");
        assertThat(quiet.err()).isEmpty();
    }

    @Test
    void reasoningIsDimOnATerminalAndTheTerminalIsAsBeforeAfterwards() {
        Cli.Result result = new Cli().screen().with("run", "--model", "demo:deepseek", "--temp", "0", "Hello!");
        assertThat(result.err()).contains("\u001B[2m").doesNotContain("reasoning:");
        assertThat(result.err().lastIndexOf("\u001B[0m"))
                .isGreaterThan(result.err().lastIndexOf("\u001B[2m"));
    }

    @Test
    void thinkingIsAskedFor() {
        Cli.Result result = Cli.run("run", "--think", "--temp", "0", "--json", "Tell me the sound of a duck.");
        assertThat(result.json().get("reasoning").asString()).isNotEmpty();
        Cli.Result without = Cli.run("run", "--no-think", "--temp", "0", "--json", "Tell me the sound of a duck.");
        assertThat(without.json().get("reasoning").asString()).isEmpty();
    }

    @Test
    void theExampleOfTheHelpAnswers() {
        String help = Cli.run("run", "--help").out();
        assertThat(help).contains("--model demo:deepseek --temp 0 'What sound does a cow make?'");
        Cli.Result result =
                Cli.run("run", "--model", "demo:deepseek", "--temp", "0", "-q", "What sound does a cow make?");
        assertThat(result.out()).isEqualTo("A cow moos.\n");
    }

    @Test
    void aStopStringEndsTheAnswer() {
        Cli.Result result = Cli.run("run", "--temp", "0", "--stop", " is Par", "--stop", "never", QUESTION);
        assertThat(result.out()).isEqualTo("The capital of France\n");
    }

    @Test
    void theEndOfAnAnswerCanBeIgnored() {
        JsonNode json = Cli.run("run", "--temp", "0", "--ignore-eos", "-n", "20", "--json", QUESTION)
                .json();
        assertThat(json.get("tokens").size()).isEqualTo(20);
        assertThat(json.get("finish_reason").asString()).isEqualTo("length");
    }

    @Test
    void aFullContextEndsTheAnswer() {
        JsonNode json = Cli.run(
                        "run", "--raw", "--temp", "0", "--ignore-eos", "--ctx", "16", "--json", "Once upon a time")
                .json();
        assertThat(json.get("finish_reason").asString()).isEqualTo("length");
        assertThat(json.get("usage").get("total_tokens").asInt()).isEqualTo(17); // the last one is never read
    }

    @Test
    void everyCacheTypeAnswers() {
        for (String type : new String[] {"f16", "F16", "f32", "bf16", "q8_0", "q4_0"}) {
            Cli.Result result = Cli.run("run", "--temp", "0", "--cache-type", type, QUESTION);
            assertThat(result.out()).isEqualTo(ANSWER + "\n");
        }
    }

    @Test
    void aPromptMayBeginWithAnAtSignOrADash() {
        Cli.Result at = Cli.run("run", "--raw", "-n", "1", "--json", "@nothing");
        assertThat(at.code()).isZero();
        assertThat(at.json().get("usage").get("prompt_tokens").asInt()).isGreaterThan(2);
        assertThat(Cli.run("run", "--raw", "-n", "1", "--", "--raw").code()).isZero();
    }

    @Test
    void controlCharactersReachAPipeButNoTerminal() {
        Sink pipe = sink(false);
        pipe.printUntrusted("a\u001B[31m\u0007\u009Bb\r\n\tc");
        pipe.flush();
        assertThat(written()).isEqualTo("a\u001B[31m\u0007\u009Bb\r\n\tc");
        Sink terminal = sink(true);
        terminal.printUntrusted("a\u001B[31m\u0007\u009Bb\r\n\tc");
        terminal.flush();
        assertThat(written()).isEqualTo("a\\x1b[31m\\x07\\x9bb\\x0d\n\tc");
    }

    private final java.io.ByteArrayOutputStream target = new java.io.ByteArrayOutputStream();

    private Sink sink(boolean terminal) {
        target.reset();
        return new Sink(target, "test", terminal ? Sink.Medium.PLAIN : Sink.Medium.FILE, false);
    }

    private String written() {
        return target.toString(java.nio.charset.StandardCharsets.UTF_8);
    }

    @Test
    void toolsAreReadBeforeTheModel() {
        String tools = "[{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": \"d\"}}]";
        Cli.Result with = new Cli().stdin(tools).with("run", "--json", "-n", "1", "--tools", "-", QUESTION);
        assertThat(with.code()).as(with.err()).isZero();
        assertThat(with.json().has("tool_calls")).isFalse();
        // The template of the demo model has no place for them.
        assertThat(with.err()).contains("warning: the model's chat template does not declare tools");
        Cli.Result broken = new Cli().stdin("[{}]").with("run", "--tools", "-", QUESTION);
        assertThat(broken.code()).isEqualTo(1);
        assertThat(broken.err()).contains("standard input: tool 1 has no name");
    }
}
