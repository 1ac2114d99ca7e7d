package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.json.JsonMapper;

/// The short fuzz run of every build: fixed seeds, so that a failure can be repeated. `TemplateFuzzTest` is the long
/// one.
class TemplateMutationTest {
    private static final Path CASES = Path.of(System.getProperty("panamoe.testdata"), "templates", "expressions.json");
    private static final String[] INSERTIONS = {
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "{%- ",
        "-",
        "x",
        "y",
        "a",
        "loop",
        "(",
        ")",
        "[",
        "]",
        "'",
        "|",
        ".",
        ", ",
        ":",
        "=",
        "0",
        "-1",
        "9999999999",
        "1e9",
        "none",
        "~ x",
        "**2",
        " if ",
        " else ",
        " in ",
        " is ",
        "é",
        "\n",
        "|list",
        "|tojson",
        "|string",
        "|length",
        "|int",
        "|join(x)",
        "[::-1]",
        "{% for i in x %}{% endfor %}",
        "{% endif %}"
    };

    @Test
    void theSeedsAreSound() {
        assertThat(seeds().stream().filter(TemplateProbe::probe).count()).isGreaterThan(60);
    }

    @Test
    @Timeout(60)
    void damagedTemplatesRenderOrAreRefused() {
        Random random = new Random(23);
        List<byte[]> seeds = seeds();
        for (int i = 0; i < 10_000; i++) {
            byte[] input = damaged(seeds, random);
            try {
                TemplateProbe.probe(input);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("mutation " + i + ": " + HexFormat.of().formatHex(input), e);
            }
        }
    }

    /// The templates of our own that have goldens, each with one of the sets of variables.
    static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (var c : JsonMapper.shared().readTree(CASES).required("cases")) {
            String source = c.required("template").asString();
            seeds.add(("" + (char) (seeds.size() % 4) + source).getBytes(StandardCharsets.UTF_8));
        }
        return seeds;
    }

    private static byte[] damaged(List<byte[]> seeds, Random random) {
        StringBuilder text = new StringBuilder(text(seeds, random));
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            int at = 1 + random.nextInt(text.length());
            int end = Math.min(text.length(), at + 1 + random.nextInt(8));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, text.substring(Math.min(at, end), end));
                case 2 -> {
                    String other = text(seeds, random);
                    int from = 1 + random.nextInt(other.length());
                    text.insert(at, other.substring(from, Math.min(other.length(), from + 1 + random.nextInt(40))));
                }
                default -> text.insert(at, INSERTIONS[random.nextInt(INSERTIONS.length)]);
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String text(List<byte[]> seeds, Random random) {
        return new String(seeds.get(random.nextInt(seeds.size())), StandardCharsets.UTF_8);
    }
}
