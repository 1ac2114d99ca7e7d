package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `tokenize`, `template`, `inspect`, `devices`, `--help` and `--version`.
class ToolCommandsTest {
    @TempDir
    Path folder;

    @Test
    void tokensOfAText() {
        JsonNode json = Cli.run("tokenize", "--json", "Hello!").json();
        assertThat(Cli.ints(json.get("ids"))).containsExactly(2, 677, 278);
        assertThat(json.get("tokens").valueStream().map(JsonNode::asString)).containsExactly("<bos>", "Hello", "!");
        assertThat(json.propertyNames()).containsExactly("ids", "tokens");
        assertThat(Cli.ints(Cli.run("tokenize", "--json", "--no-bos", "Hello!")
                        .json()
                        .get("ids")))
                .containsExactly(677, 278);
        assertThat(Cli.run("tokenize", "Hello!").out()).isEqualTo("   2  <bos>\n 677  Hello\n 278  !\n");
    }

    @Test
    void controlTokensInATextAreTextUnlessAskedFor() {
        JsonNode plain = Cli.run("tokenize", "--json", "--no-bos", "<eos>").json();
        assertThat(plain.get("ids").size()).isGreaterThan(1);
        JsonNode special = Cli.run("tokenize", "--json", "--no-bos", "--parse-special", "<eos>")
                .json();
        assertThat(Cli.ints(special.get("ids"))).hasSize(1);
    }

    @Test
    void standardInputByteForByteAndBack() {
        byte[] odd = "Hello \u00FC\u6F22\uD83D\uDE42\r\n\t x".getBytes(StandardCharsets.UTF_8);
        byte[] bytes = java.util.Arrays.copyOf(odd, odd.length + 3);
        bytes[odd.length] = (byte) 0xFF; // not UTF-8
        bytes[odd.length + 1] = 0;
        bytes[odd.length + 2] = '\n';
        for (String model : List.of("demo:gemma4", "demo:deepseek")) {
            JsonNode ids = new Cli()
                    .stdin(bytes)
                    .with("tokenize", "--model", model, "--json", "--no-bos")
                    .json()
                    .get("ids");
            String list =
                    String.join(" ", ids.valueStream().map(JsonNode::asString).toList());
            Cli.Result back = Cli.run("tokenize", "--model", model, "--decode", list);
            assertThat(back.bytes()).isEqualTo(bytes);
        }
    }

    @Test
    void decodedJsonHasTheText() {
        JsonNode json = Cli.run("tokenize", "--decode", "2,677,278", "--json").json();
        assertThat(json.get("text").asString()).isEqualTo("<bos>Hello!");
    }

    @Test
    void theModelsOwnTemplateIsRendered() {
        String input = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"add_generation_prompt\":true}";
        Cli.Result gemma = new Cli().stdin(input).with("template", "--input", "-");
        assertThat(gemma.out()).isEqualTo("<bos><|turn>user\nHi<turn|>\n<|turn>model\n<|channel>thought\n<channel|>");
        Cli.Result deepseek = new Cli().stdin(input).with("template", "--model", "demo:deepseek", "--input", "-");
        assertThat(deepseek.out()).startsWith("<\uFF5Cbegin\u2581of\u2581sentence\uFF5C><\uFF5CUser\uFF5C>Hi");
        assertThat(gemma.err()).isEmpty();
    }

    @Test
    void valuesOfTheInputKeepTheirKindAndOrder() throws IOException {
        Path template = Files.writeString(
                folder.resolve("t.jinja"),
                "{{ big }} {{ whole }} {{ real }} {{ none is none }} {{ yes }} {{ object | tojson }} {{ s }}");
        Path input = Files.writeString(
                folder.resolve("case.json"),
                "{\"big\": 123456789012345678901234567890, \"whole\": 5, \"real\": 5.0, \"none\": null, \"yes\": true,"
                        + " \"object\": {\"z\": 1, \"a\": [1.5, -0.0]}, \"s\": \"\u00FC\\n\"}");
        Cli.Result result = Cli.run("template", "--file", template.toString(), "--input", input.toString());
        assertThat(result.err()).isEmpty();
        assertThat(result.out())
                .isEqualTo("123456789012345678901234567890 5 5.0 True True {\"z\": 1, \"a\": [1.5, -0.0]} \u00FC\n");
    }

    @Test
    void theClockCanBeSet() throws IOException {
        Path template = Files.writeString(folder.resolve("t.jinja"), "{{ strftime_now('%d %b %Y %H:%M') }}");
        Path input = Files.writeString(folder.resolve("case.json"), "{}");
        Cli.Result result = Cli.run(
                "template", "--file", template.toString(), "--input", input.toString(), "--now", "2026-01-02T03:04:05");
        assertThat(result.out()).isEqualTo("02 Jan 2026 03:04");
    }

    @Test
    void whatATemplateRefusesIsAFailure() throws IOException {
        Path template = Files.writeString(folder.resolve("t.jinja"), "{{ raise_exception('no\\nsystem message') }}");
        Cli.Result result = new Cli().stdin("{}").with("template", "--file", template.toString(), "--input", "-");
        assertThat(result.code()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err())
                .contains("t.jinja")
                .contains("no\\nsystem message")
                .hasLineCount(1);
    }

    @Test
    void inspectShowsEverything() {
        Cli.Result result =
                Cli.run("inspect", "--ctx", "512", Cli.fixture("deepseek-v3/model-shards-q8_0-00001-of-00003.gguf"));
        assertThat(result.code()).isZero();
        assertThat(result.out())
                .contains("in 3 files")
                .containsPattern("general.architecture +string +deepseek2")
                .containsPattern("token_embd.weight +Q8_0 +\\[\\d+, \\d+\\] +\\d+")
                .contains("types", "memory", "512 positions", "free")
                .startsWith("model-shards-q8_0-00001-of-00003.gguf: runs here on cpu with a context of 512 positions");
    }

    @Test
    void inspectSaysWhenTheContextDoesNotFitTheMemory() {
        String[] args = {"inspect", "--ctx", "2000000000", "demo:gemma4"};
        assertThat(Cli.run(args).out())
                .startsWith("demo:gemma4: does not run here: a context of 2000000000 positions takes ")
                .contains("use a --ctx of at most");
        JsonNode json = Cli.run(Cli.args(List.of(args), "--json")).json();
        assertThat(json.get("runs").asBoolean()).isFalse();
        String problem = json.get("missing").get(0).asString();
        String most = problem.substring(problem.lastIndexOf(' ') + 1);
        // What it says would fit does, unless other programs took that much memory meanwhile.
        String half = String.valueOf(Long.parseLong(most) / 2);
        assertThat(Cli.run("inspect", "--ctx", half, "demo:gemma4").out()).contains(": runs here on cpu");
    }

    @Test
    void inspectAsJson() {
        JsonNode small =
                Cli.run("inspect", "--json", "--ctx", "100", "demo:gemma4").json();
        JsonNode large = Cli.run("inspect", "--json", "--ctx", "1000", "--cache-type", "f32")
                .json();
        assertThat(small.get("architecture").asString()).isEqualTo("gemma4");
        assertThat(small.get("runs").asBoolean()).isTrue();
        assertThat(small.get("missing").size()).isZero();
        assertThat(small.get("backend").asString()).isEqualTo("cpu");
        assertThat(small.get("findings").get("weights on cpu").asString()).isEqualTo("all supported");
        long sum = 0;
        for (JsonNode tensor : small.get("tensors")) {
            sum += tensor.get("bytes").asLong();
            assertThat(tensor.get("shape").size()).isPositive();
        }
        assertThat(small.get("memory").get("weights").asLong()).isEqualTo(sum);
        assertThat(small.get("bytes").asLong()).isGreaterThan(sum);
        assertThat(large.get("memory").get("caches").asLong())
                .isGreaterThan(4 * small.get("memory").get("caches").asLong());
        JsonNode quantised = Cli.run("inspect", "--json", "--ctx", "1000", "--cache-type", "q8_0")
                .json();
        // 34 bytes for 32 values, instead of 128.
        assertThat(quantised.get("memory").get("caches").asLong() * 128)
                .isEqualTo(large.get("memory").get("caches").asLong() * 34);
        long types = 0;
        for (JsonNode type : small.get("types")) {
            types += type.get("bytes").asLong();
        }
        assertThat(types).isEqualTo(sum);
        JsonNode name = small.get("metadata")
                .valueStream()
                .filter(m -> m.get("key").asString().equals("general.architecture"))
                .findFirst()
                .orElseThrow();
        assertThat(name.get("value").asString()).isEqualTo("gemma4");
    }

    @Test
    void inspectNamesEverythingThatIsMissing() throws IOException {
        Path part = Files.copy(
                Path.of(Cli.fixture("deepseek-v3/model-shards-q8_0-00002-of-00003.gguf")),
                folder.resolve("lost-00002-of-00003.gguf"));
        Cli.Result result = Cli.run("inspect", "--backend", "reference", part.toString());
        assertThat(result.code()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.out())
                .startsWith("lost-00002-of-00003.gguf: does not run here: this is part 2 of 3 of a split model;")
                .containsPattern("weights on cpu +all supported")
                .contains("\ntensors\n");
    }

    @Test
    void inspectInParts() {
        assertThat(Cli.run("inspect", "--tensors").out())
                .contains("token_embd.weight")
                .doesNotContain("general.architecture");
        assertThat(Cli.run("inspect", "--metadata").out())
                .contains("general.architecture")
                .doesNotContain("token_embd.weight");
        assertThat(Cli.run("inspect", "--json", "--tensors").json().propertyNames())
                .containsExactly("name", "tensors");
        assertThat(Cli.run("inspect", "--json", "--metadata").json().propertyNames())
                .containsExactly("name", "metadata");
        assertThat(Cli.run("inspect", "--json", "--metadata", "--tensors")
                        .json()
                        .propertyNames())
                .containsExactly("name", "metadata", "tensors");
    }

    @Test
    void devicesSayWhatThereIsAndWhyNot() {
        Cli.Result result = Cli.run("devices");
        assertThat(result.code()).isZero();
        assertThat(result.out())
                .contains("cpu: usable", "reference: usable", "--backend auto takes ")
                .doesNotContain("  cpu: ");
        JsonNode json = Cli.run("devices", "--json").json();
        for (JsonNode backend : json.get("backends")) {
            if (backend.get("usable").asBoolean()) {
                assertThat(backend.get("devices").size()).isPositive();
            } else {
                assertThat(backend.get("reason").asString()).isNotBlank();
                assertThat(backend.get("remedy").asString()).isNotBlank();
            }
        }
        assertThat(json.get("auto").asString()).isNotEqualTo("reference");
        assertThat(json.get("reasons").size()).isEqualTo(json.get("backends").size());
    }

    @Test
    void helpAndVersion() {
        for (String command : List.of(
                "run", "inspect", "devices", "tokenize", "template", "embed", "logits", "perplexity", "verify")) {
            Cli.Result help = Cli.run(command, "--help");
            assertThat(help.code()).isZero();
            assertThat(help.err()).isEmpty();
            assertThat(help.out())
                    .contains("Usage: panamoe " + command, "panamoe " + command, "Example", "--debug", "-h, --help")
                    .doesNotContain("--version", "]]");
            assertThat(Cli.run("help", command).out()).isEqualTo(help.out());
        }
        Cli.Result version = Cli.run("--version");
        assertThat(version.code()).isZero();
        assertThat(version.out())
                .containsPattern("panamoe \\d+\\.\\d+")
                .contains("Java " + Runtime.version(), System.getProperty("os.name"));
        Cli.Result help = Cli.run("--help");
        assertThat(help.out()).contains("Usage: panamoe", "Exit codes", "--version");
        assertThat(help.out()).containsPattern("perplexity +Measures .*\\.\n");
        assertThat(Cli.run("help").out()).isEqualTo(help.out());
    }
}
