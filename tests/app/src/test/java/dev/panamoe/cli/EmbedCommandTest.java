package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// `embed` with the embedded models. That vectors are right, `EmbedderTest` says.
class EmbedCommandTest {
    private static List<double[]> rows(Cli.Result result) {
        assertThat(result.code()).as(result.err()).isZero();
        return result.out()
                .lines()
                .map(line -> Arrays.stream(line.split(" "))
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
    }

    private static List<double[]> vectors(JsonNode json) {
        List<double[]> all = new ArrayList<>();
        json.get("embeddings").forEach(v -> all.add(Cli.JSON.convertValue(v, double[].class)));
        return all;
    }

    private static double product(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @Test
    void aRowATextHoweverTheTextsCome() {
        List<double[]> arguments = rows(Cli.run("embed", "-q", "a dog", "a cat"));
        assertThat(arguments).hasSize(2).allSatisfy(v -> assertThat(v).hasSize(256));
        assertThat(arguments).allSatisfy(v -> assertThat(product(v, v)).isCloseTo(1, within(1e-6)));
        List<double[]> lines = rows(new Cli().stdin("a dog\r\na cat\n").with("embed", "-q", "--lines"));
        assertThat(lines).hasSize(2);
        List<double[]> whole = rows(new Cli().stdin("a cat\n").with("embed", "-q"));
        assertThat(whole).hasSize(1);
        Cli.Result result = Cli.run("embed", "--json", "a dog", "a cat");
        List<double[]> json = vectors(result.json());
        for (int i = 0; i < 2; i++) {
            assertThat(lines.get(i)).isEqualTo(arguments.get(i));
            assertThat(json.get(i)).isEqualTo(arguments.get(i));
        }
        assertThat(whole.getFirst()).isEqualTo(arguments.get(1));
        assertThat(result.err()).contains("backend cpu", "2 texts, ", "pooling last");
    }

    @Test
    void jsonSaysHowTheVectorsCameAbout() {
        JsonNode json = Cli.run("embed", "-q", "--json", "--pooling", "mean", "--no-normalize", "Hello!")
                .json();
        assertThat(json.propertyNames())
                .containsExactly("model", "embeddings", "tokens", "pooling", "normalized", "backend");
        assertThat(json.get("model").asString()).isEqualTo("demo:gemma4");
        assertThat(Cli.ints(json.get("tokens"))).containsExactly(3); // <bos>Hello!
        assertThat(json.get("pooling").asString()).isEqualTo("mean");
        assertThat(json.get("normalized").asBoolean()).isFalse();
        double[] vector = vectors(json).getFirst();
        assertThat(product(vector, vector)).isNotCloseTo(1, within(1e-3));
    }

    @Test
    void backendsAgree() {
        for (String model : List.of("demo:gemma4", "demo:deepseek")) {
            for (String pooling : List.of("mean", "cls", "last")) {
                String[] args = {
                    "embed",
                    "-q",
                    "--cache-type",
                    "f32",
                    "--activations",
                    "f32",
                    "--model",
                    model,
                    "--pooling",
                    pooling,
                    "The capital of France"
                };
                double[] cpu = rows(Cli.run(Cli.args(List.of(args), "--backend", "cpu")))
                        .getFirst();
                double[] reference = rows(Cli.run(Cli.args(List.of(args), "--backend", "reference")))
                        .getFirst();
                assertThat(product(cpu, reference)).as("%s %s", model, pooling).isCloseTo(1, within(1e-5));
                for (int i = 0; i < cpu.length; i++) {
                    assertThat(cpu[i]).isCloseTo(reference[i], within(1e-3));
                }
            }
        }
    }

    @Test
    void aLongTextIsCutWhenAskedFor() {
        String text = "What is the capital of France?";
        Cli.Result result = Cli.run("embed", "--ctx", "4", "--truncate", "--json", text);
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(Cli.ints(result.json().get("tokens"))).containsExactly(4);
        assertThat(result.err()).contains("warning: of the text only the first 4 tokens were read");
    }
}
