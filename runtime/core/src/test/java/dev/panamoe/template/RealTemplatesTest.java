package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Real templates against what Jinja2 renders, and single expressions against what it prints.
class RealTemplatesTest {
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);

    @Test
    void rendersEveryConversationAsJinja2Does() throws Exception {
        var goldens = SharedTemplates.json("goldens.json");
        var now = LocalDateTime.parse(goldens.get("now").toString());
        var templates = new HashMap<String, ChatTemplate>();
        var differences = new ArrayList<String>();
        List<Map<String, Object>> cases = cases(goldens);
        for (var golden : cases) {
            String name = golden.get("template").toString();
            if (!templates.containsKey(name)) {
                templates.put(name, ChatTemplate.parse(Files.readString(SharedTemplates.file(name))));
            }
            String got = outcome(templates.get(name), variables(golden.get("input")), now);
            String difference = difference(golden, "expected", "error", got);
            if (!difference.isEmpty()) {
                differences.add(name + " / " + golden.get("case") + ": " + difference);
            }
        }
        assertThat(cases).hasSizeGreaterThanOrEqualTo(528);
        assertThat(differences).isEmpty();
    }

    @Test
    void printsEveryExpressionAsJinja2Does() throws Exception {
        var snippets = SharedTemplates.json("snippets.json");
        var differences = new ArrayList<String>();
        List<Map<String, Object>> cases = cases(snippets);
        for (var snippet : cases) {
            String source = snippet.get("t").toString();
            String got;
            try {
                got = outcome(ChatTemplate.parse(source), variables(snippets.get("ctx")), NOW);
            } catch (TemplateException e) {
                got = error(e);
            }
            String difference = difference(snippet, "o", "e", got);
            if (!difference.isEmpty()) {
                differences.add(source + "\n  " + difference);
            }
        }
        assertThat(cases).hasSizeGreaterThanOrEqualTo(111);
        assertThat(differences).isEmpty();
    }

    private static String outcome(ChatTemplate template, Map<String, Object> variables, LocalDateTime now) {
        try {
            return template.render(variables, now);
        } catch (TemplateException e) {
            return error(e);
        }
    }

    private static String error(TemplateException e) {
        return "\u0000" + e.kind() + ": " + e.detail();
    }

    /// The wording of an error may differ, but not that of one which the template raises itself.
    private static String difference(Map<String, Object> golden, String textKey, String errorKey, String got) {
        if (golden.containsKey(textKey)) {
            String expected = golden.get(textKey).toString();
            return expected.equals(got) ? "" : "expected\n  " + expected + "\ngot\n  " + got;
        }
        String expected = golden.get(errorKey).toString();
        boolean raised = expected.startsWith("TemplateError: ");
        boolean same = raised ? got.equals("\u0000" + expected) : got.startsWith("\u0000");
        return same ? "" : "expected the error\n  " + expected + "\ngot\n  " + got;
    }

    @SuppressWarnings("unchecked") // the shape of the file
    private static List<Map<String, Object>> cases(Map<String, Object> file) {
        return (List<Map<String, Object>>) file.get("cases");
    }

    @SuppressWarnings("unchecked") // the shape of the file
    private static Map<String, Object> variables(Object input) {
        return (Map<String, Object>) input;
    }
}
