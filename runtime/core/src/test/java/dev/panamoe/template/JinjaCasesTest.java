package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/// Small templates of our own, each construct and each trap, against what Jinja2 gave for them.
class JinjaCasesTest {
    private static final Path FILE =
            Path.of(System.getProperty("panamoe.testdata", "."), "templates", "expressions.json");

    @Test
    void givesWhatJinja2Gives() throws IOException {
        var file = JsonMapper.shared().readTree(Files.readString(FILE));
        var now = LocalDateTime.parse(file.required("now").asString());
        var differences = new ArrayList<String>();
        for (var c : file.required("cases")) {
            String source = c.required("template").asString();
            String expected = c.has("text")
                    ? c.required("text").asString()
                    : "\u0000" + c.required("error").asString();
            if (expected.equals("\u0000TemplateError")) {
                expected += ": " + c.required("message").asString();
            }
            String got = outcome(source, now);
            if (!got.equals(expected)) {
                differences.add(source + "\n  expected " + expected + "\n  got      " + got);
            }
        }
        assertThat(file.required("cases").size()).isGreaterThan(100);
        assertThat(differences).isEmpty();
    }

    private static String outcome(String source, LocalDateTime now) {
        try {
            return ChatTemplate.parse(source).render(Map.of(), now);
        } catch (TemplateException e) {
            return "\u0000" + e.kind() + (e.kind().equals("TemplateError") ? ": " + e.detail() : "");
        }
    }
}
