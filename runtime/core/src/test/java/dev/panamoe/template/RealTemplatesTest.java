package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Real templates against what Jinja2 renders, and single expressions against what it prints.
class RealTemplatesTest {
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);

    @Test
    void rendersEveryConversationAsJinja2Does() throws IOException {
        var goldens = SharedTemplates.json("goldens.json");
        var now = LocalDateTime.parse(goldens.required("now").asString());
        var differences = new ArrayList<String>();
        for (var golden : goldens.required("cases")) {
            String name = golden.required("template").asString();
            var variables = SharedTemplates.map(golden.required("input"));
            String got = outcome(SharedTemplates.read(name), variables, now);
            String difference = difference(golden, "expected", "error", got);
            if (!difference.isEmpty()) {
                differences.add(name + " / " + golden.required("case") + ": " + difference);
            }
        }
        assertThat(goldens.required("cases").size()).isGreaterThanOrEqualTo(528);
        assertThat(differences).isEmpty();
    }

    @Test
    void printsEveryExpressionAsJinja2Does() throws IOException {
        var snippets = SharedTemplates.json("snippets.json");
        var variables = SharedTemplates.map(snippets.required("ctx"));
        var differences = new ArrayList<String>();
        for (var snippet : snippets.required("cases")) {
            String source = snippet.required("t").asString();
            String difference = difference(snippet, "o", "e", outcome(source, variables, NOW));
            if (!difference.isEmpty()) {
                differences.add(source + "\n  " + difference);
            }
        }
        assertThat(snippets.required("cases").size()).isGreaterThanOrEqualTo(111);
        assertThat(differences).isEmpty();
    }

    private static String outcome(String source, Map<String, @Nullable Object> variables, LocalDateTime now) {
        try {
            return ChatTemplate.parse(source).render(variables, now);
        } catch (TemplateException e) {
            return "\u0000" + e.kind() + ": " + e.detail();
        }
    }

    /// The wording of an error may differ, but not that of one which the template raises itself.
    private static String difference(JsonNode golden, String textKey, String errorKey, String got) {
        if (golden.has(textKey)) {
            String expected = golden.required(textKey).asString();
            return expected.equals(got) ? "" : "expected\n  " + expected + "\ngot\n  " + got;
        }
        String expected = golden.required(errorKey).asString();
        boolean raised = expected.startsWith("TemplateError: ");
        boolean same = raised ? got.equals("\u0000" + expected) : got.startsWith("\u0000");
        return same ? "" : "expected the error\n  " + expected + "\ngot\n  " + got;
    }
}
