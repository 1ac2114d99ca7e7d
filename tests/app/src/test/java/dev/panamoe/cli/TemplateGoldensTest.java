package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Real templates through the command, against what Jinja2 renders. They are their publishers' data and lie beside the
/// project where they are at hand; elsewhere this is skipped, unless PANAMOE_REQUIRE_ALL is set.
class TemplateGoldensTest {
    private static final Path SHARED = Path.of(System.getProperty("panamoe.root"), "..", "shared", "templates");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "google-gemma-4-31B-it.jinja",
                "google-gemma-4-31B-it-interleaved.jinja",
                "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
                "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
                "deepseek-ai-DeepSeek-V3.1.jinja",
                "llama-cpp-deepseek-r1.jinja"
            })
    void rendersAsJinjaDoes(String template) {
        if (System.getenv("PANAMOE_REQUIRE_ALL") == null) {
            assumeThat(SHARED.resolve("goldens.json")).exists();
        }
        assertThat(Files.exists(SHARED.resolve(template))).isTrue();
        JsonNode goldens = Cli.JSON.readTree(SHARED.resolve("goldens.json").toFile());
        int cases = 0;
        for (JsonNode c : goldens.get("cases")) {
            if (c.get("template").asString().equals(template)) {
                check(c, goldens.get("now").asString());
                cases++;
            }
        }
        assertThat(cases).isGreaterThan(5);
    }

    private static void check(JsonNode c, String now) {
        Path file = SHARED.resolve(c.get("template").asString());
        Cli.Result result = new Cli()
                .stdin(Cli.JSON.writeValueAsBytes(c.get("input")))
                .with("template", "--file", file.toString(), "--input", "-", "--now", now);
        String name = c.get("template").asString() + " " + c.get("case").asString();
        if (c.has("expected")) {
            assertThat(result.err()).as(name).isEmpty();
            assertThat(result.out()).as(name).isEqualTo(c.get("expected").asString());
            assertThat(result.code()).isZero();
        } else {
            assertThat(result.code()).as(name).isEqualTo(ExitCode.FAILED);
            assertThat(result.out()).isEmpty();
            assertThat(result.errLines()).hasSize(1);
        }
    }
}
