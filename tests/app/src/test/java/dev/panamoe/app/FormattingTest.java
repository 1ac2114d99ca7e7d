package dev.panamoe.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Every Java file of the repository is as palantir-java-format writes it. With `-Dformat=write` the files are mended
/// instead. A test rather than a Maven plugin because the formatter parses with the compiler of the Java it runs on,
/// and Maven may run on one that does not know Java 25.
class FormattingTest {
    private static final Path ROOT = Path.of(System.getProperty("panamoe.root"));
    private static final boolean WRITE = "write".equals(System.getProperty("format"));

    private static final int MAX_COLUMNS = 120;

    private final Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());

    @Test
    void everySourceIsFormatted() throws IOException {
        List<Path> sources = sources();
        assertThat(sources).as("sources below %s", ROOT).hasSizeGreaterThan(20);
        List<String> wrong = new ArrayList<>();
        for (Path file : sources) {
            String text = Files.readString(file);
            String formatted = format(file, text);
            int wide = wideComment(formatted);
            if (wide > 0) {
                wrong.add(ROOT.relativize(file) + ":" + wide + " (wrap this comment by hand)");
            }
            if (formatted.equals(text)) {
                continue;
            }
            if (WRITE) {
                Files.writeString(file, formatted);
                System.out.println("formatted " + ROOT.relativize(file));
            } else {
                wrong.add(ROOT.relativize(file) + ":" + firstDifference(text, formatted));
            }
        }
        assertThat(wrong)
                .as("not formatted; mend with: mvn -q verify -pl tests/app -am -Dtest=FormattingTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false -Dformat=write")
                .isEmpty();
    }

    @Test
    void aBadlyFormattedSourceIsFoundAndDocCommentsKeepTheirText() {
        String doc = "/// Costs $1 \\ [List]: " + "word ".repeat(18) + "end";
        String bad = "import java.util.Map;import java.util.List;\nclass A{\n" + doc + "\n" + doc + "\nint  x ;}";
        assertThat(format(ROOT.resolve("A.java"), bad))
                .isEqualTo("import java.util.List;\n\nclass A {\n    " + doc + "\n    " + doc + "\n    int x;\n}\n");
        assertThat(wideComment("class A {}\n    " + doc)).isZero();
        assertThat(wideComment("class A {}\n        ///" + doc)).isEqualTo(2);
    }

    private String format(Path file, String text) {
        try {
            DocComments comments = new DocComments();
            return comments.show(formatter.formatSource(comments.hide(formatter.fixImports(text))));
        } catch (FormatterException e) {
            throw new AssertionError(ROOT.relativize(file) + " cannot be parsed: " + e.getMessage(), e);
        }
    }

    /// Keeps lines of `///` from the formatter. It wraps those that it takes for too long, after counting their
    /// indentation twice, and leaves the rest of the line without slashes.
    private static final class DocComments {
        private static final Pattern LINE = Pattern.compile("(?m)^([ \\t]*)(///.*)$");
        private static final Pattern PLACEHOLDER = Pattern.compile("// doc comment (\\d+) of this file");

        private final List<String> lines = new ArrayList<>();

        String hide(String text) {
            return LINE.matcher(text).replaceAll(line -> {
                lines.add(line.group(2).stripTrailing());
                return line.group(1) + "// doc comment " + (lines.size() - 1) + " of this file";
            });
        }

        String show(String text) {
            return PLACEHOLDER
                    .matcher(text)
                    .replaceAll(found -> Matcher.quoteReplacement(lines.get(Integer.parseInt(found.group(1)))));
        }
    }

    /// The number of the first line that is too wide, or 0. Only comments can be: the formatter wraps the rest, but for
    /// literals that it cannot divide.
    private static int wideComment(String text) {
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).length() > MAX_COLUMNS && lines.get(i).strip().startsWith("///")) {
                return i + 1;
            }
        }
        return 0;
    }

    private static int firstDifference(String text, String formatted) {
        List<String> a = text.lines().toList();
        List<String> b = formatted.lines().toList();
        int line = 0;
        while (line < a.size() && line < b.size() && a.get(line).equals(b.get(line))) {
            line++;
        }
        return line + 1;
    }

    private static List<Path> sources() throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                String name = dir.getFileName().toString();
                boolean skipped = !dir.equals(ROOT) && (name.startsWith(".") || name.equals("target"));
                return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                boolean inSources = ROOT.relativize(file).toString().matches("(.*[/\\\\])?src[/\\\\].*");
                if (inSources && file.toString().endsWith(".java")) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        found.sort(null);
        return found;
    }
}
