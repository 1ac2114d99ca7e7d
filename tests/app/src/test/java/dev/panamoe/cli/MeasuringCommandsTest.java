package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// `logits`, `perplexity` and `verify` against what other implementations measured.
class MeasuringCommandsTest {
    @TempDir
    Path folder;

    /// Logits and hidden states of the first prompt are those that the fixtures hold; their README gives the bounds.
    @ParameterizedTest
    @CsvSource({"gemma4-moe, 3e-3", "deepseek-v3, 1e-3"})
    void logitsAndHiddenStates(String family, double bound) throws IOException {
        Path root = Cli.DATA.resolve("fixtures").resolve(family);
        JsonNode golden = Cli.JSON.readTree(root.resolve("golden.json").toFile());
        int[] prompt = Cli.ints(golden.get("prompts").get(0));
        JsonNode variant =
                golden.get("variants").get(golden.get("hidden").get("variant").asString());
        Path out = folder.resolve("logits.bin");
        Path hidden = folder.resolve("hidden.bin");
        Cli.Result result = Cli.run(
                "logits",
                "--model",
                root.resolve(variant.get("model").asString()).toString(),
                "--tokens",
                Arrays.stream(prompt).mapToObj(String::valueOf).collect(Collectors.joining(",")),
                "--cache-type",
                "f32",
                "--out",
                out.toString(),
                "--hidden",
                hidden.toString());
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out()).isEmpty();
        float[] logits = floats(out);
        float[] want = floats(root.resolve(variant.get("logits").asString()));
        assertThat(logits).hasSize(prompt.length * golden.get("vocab_size").asInt());
        for (int i = 0; i < logits.length; i++) {
            assertThat((double) logits[i]).isCloseTo(want[i], within(bound));
        }
        float[] states = floats(hidden);
        float[] wantStates =
                floats(root.resolve(golden.get("hidden").get("file").asString()));
        assertThat(states).hasSameSizeAs(wantStates);
        for (int i = 0; i < states.length; i++) {
            assertThat((double) states[i]).isCloseTo(wantStates[i], within(1e-3 + 1e-4 * Math.abs(wantStates[i])));
        }
    }

    /// More tokens than one forward pass takes.
    @Test
    void logitsOfManyTokensAreThoseOfFew() throws IOException {
        String ids = "2" + ",677,278,1034,519,421,543,475".repeat(18);
        Path many = folder.resolve("many");
        Path few = folder.resolve("few");
        Path hidden = folder.resolve("hidden");
        run("logits", "--tokens", ids, "--out", many.toString(), "--hidden", hidden.toString());
        run("logits", "--tokens", ids.substring(0, ids.indexOf(",475")), "--out", few.toString());
        float[] first = floats(few);
        float[] all = floats(many);
        assertThat(all).hasSize(127 * 2048);
        assertThat(Arrays.copyOf(all, first.length)).containsExactly(first, within(1e-3f));
        float[] states = floats(hidden);
        assertThat(states).hasSize(8 * 127 * 256);
        for (int row = 0; row < 8 * 127; row++) {
            assertThat(Arrays.copyOfRange(states, row * 256, row * 256 + 256))
                    .as("state and token %d", row)
                    .isNotEqualTo(new float[256]);
        }
    }

    @Test
    void quietMeansNothingOnStandardError() {
        String out = folder.resolve("logits").toString();
        assertThat(Cli.run("logits", "-q", "--tokens", "2", "--out", out).err()).isEmpty();
        assertThat(Cli.run("logits", "--tokens", "2", "--out", out).err())
                .startsWith("backend ")
                .hasLineCount(1);
        assertThat(Cli.run("verify", "-q", "-n", "1", "--tokens", "2").err()).isEmpty();
    }

    private static void run(String... args) {
        Cli.Result result = Cli.run(args);
        assertThat(result.code()).as(result.err()).isZero();
    }

    private static float[] floats(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[] out = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(out);
        return out;
    }

    /// The whole held-out texts, by all methods: within a hundred-thousandth of what transformers measured in exact
    /// arithmetic on the same files.
    @ParameterizedTest
    @CsvSource({
        "gemma4,   tiny-gemma4-moe,  lines,     heldout.txt",
        "gemma4,   tiny-gemma4-moe,  chat,      heldout-chat-gemma4.jsonl",
        "gemma4,   tiny-gemma4-moe,  chunks512, heldout.txt",
        "deepseek, tiny-deepseek-r1, lines,     heldout.txt",
        "deepseek, tiny-deepseek-r1, chat,      heldout-chat-r1.jsonl",
        "deepseek, tiny-deepseek-r1, chunks512, heldout.txt",
    })
    void heldOutPerplexity(String demo, String name, String method, String file) {
        JsonNode want = Cli.JSON
                .readTree(Cli.DATA.resolve("models/goldens.json").toFile())
                .get("models")
                .get(name)
                .get("perplexity")
                .get("q8_0 weights, exact arithmetic")
                .get(method);
        Cli.Result result = Cli.run(
                "perplexity",
                "--model",
                "demo:" + demo,
                "--cache-type",
                "f32",
                "--activations",
                "f32",
                "--json",
                "--method",
                method,
                "--file",
                Cli.DATA.resolve("models").resolve(file).toString());
        assertThat(result.code()).as(result.err()).isZero();
        JsonNode json = result.json();
        assertThat(json.get("tokens").asInt()).isEqualTo(want.get("tokens").asInt());
        assertThat(json.get("nll").asDouble()).isCloseTo(want.get("nll_sum").asDouble(), within(0.02));
        assertThat(json.get("perplexity").asDouble())
                .isCloseTo(want.get("perplexity").asDouble(), within(1e-5));
        assertThat(json.get("method").asString()).isEqualTo(method);
    }

    /// Packing moves weights and changes none: with activations rounded alike, packed weights and those of the file
    /// predict a text equally well.
    @ParameterizedTest
    @CsvSource({"demo:gemma4, heldout-chat-gemma4.jsonl", "demo:deepseek, heldout-chat-r1.jsonl"})
    void packingDoesNotChangePerplexity(String model, String file) {
        String[] args = {
            "perplexity",
            "--model",
            model,
            "--cache-type",
            "f32",
            "--activations",
            "q8",
            "--json",
            "--file",
            Cli.DATA.resolve("models").resolve(file).toString()
        };
        double packed = Cli.run(args).json().get("perplexity").asDouble();
        double plain = Cli.run(Cli.args(List.of(args), "--no-repack"))
                .json()
                .get("perplexity")
                .asDouble();
        assertThat(packed).isCloseTo(plain, within(1e-4));
    }

    @Test
    void theFileNameChoosesTheMethodAndPlainTextIsForPeople() throws IOException {
        Path lines = Files.writeString(folder.resolve("t.txt"), "A cow says moo.\n\nA duck quacks.");
        assertThat(Cli.run("perplexity", "-q", "--file", lines.toString()).out())
                .matches("perplexity \\d+\\.\\d{6}, nll \\d+\\.\\d{6} over \\d+ tokens \\(lines\\)\n");
        Path chat = Files.writeString(folder.resolve("t.jsonl"), "{\"text\": \"<bos>Hello!\"}\n");
        assertThat(Cli.run("perplexity", "-q", "--file", chat.toString()).out()).endsWith("over 2 tokens (chat)\n");
    }

    @ParameterizedTest
    @CsvSource({
        "demo:gemma4, f32, f32, 1e-4",
        "demo:deepseek, f16, f32, 1e-4",
        "demo:gemma4, q4_0, f32, 1e-4",
        "demo:deepseek, q8_0, f32, 1e-4",
        "demo:gemma4, f32, q8, 1e-2",
        "demo:deepseek, f32, auto, 1e-2"
    })
    void theCpuComputesWhatTheReferenceDoes(String model, String cache, String activations, double mean) {
        Cli.Result result = Cli.run(
                "verify",
                "--model",
                model,
                "--backend",
                "cpu",
                "--cache-type",
                cache,
                "--activations",
                activations,
                "-n",
                "4",
                "--json");
        assertThat(result.code()).as(result.out() + result.err()).isZero();
        JsonNode json = result.json();
        assertThat(json.get("ok").asBoolean()).isTrue();
        assertThat(json.get("backend").asString()).isEqualTo("cpu");
        assertThat(json.get("against").asString()).isEqualTo("reference");
        // The reference rounds activations if the backend does.
        String arithmetic = activations.equals("f32") ? "f32" : "int8";
        assertThat(json.get("arithmetic").asString()).isEqualTo(arithmetic);
        assertThat(json.get("arithmetic_against").asString()).isEqualTo(arithmetic);
        assertThat(json.get("prompt_tokens").asInt()).isEqualTo(32);
        assertThat(json.get("layers").size()).isEqualTo(model.equals("demo:gemma4") ? 6 : 4);
        assertThat(json.get("greedy").get("agree").asInt()).isGreaterThanOrEqualTo(activations.equals("f32") ? 4 : 3);
        // Different code must leave some difference; none would mean that one backend ran twice.
        assertThat(json.get("logits").get("max").asDouble()).isPositive();
        assertThat(json.get("logits").get("mean_relative").asDouble()).isLessThan(mean);
    }

    @Test
    void theReferenceAgreesWithItselfExactly() {
        Cli.Result result = Cli.run("verify", "--backend", "reference", "-n", "2", "--tokens", "2,677,278");
        assertThat(result.code()).isZero();
        assertThat(result.err()).isEqualTo("backend reference: asked for\n");
        assertThat(result.out())
                .startsWith("demo:gemma4: reference against reference, 3 prompt tokens, 2 greedy steps\n")
                .contains("2 of 2 agree", "within bounds")
                .containsPattern("logits +0.00e\\+00 +0.00e");
        assertThat(Cli.run("verify", "--backend", "reference", "-n", "1", "--tokens", "2", "--activations", "q8")
                        .out())
                .startsWith("demo:gemma4: reference (8-bit activations) against reference (8-bit activations), ")
                .containsPattern("logits +0.00e\\+00 +0.00e");
    }
}
