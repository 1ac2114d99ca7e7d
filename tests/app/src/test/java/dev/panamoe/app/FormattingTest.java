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
import org.junit.jupiter.api.Test;

/// Every Java file of the repository is as palantir-java-format writes it. With `-Dformat=write` the files are mended
/// instead. A test rather than a Maven plugin because the formatter parses with the compiler of the Java it runs on,
/// and Maven may run on one that does not know Java 25.
class FormattingTest {
    private static final Path ROOT = Path.of(System.getProperty("panamoe.root"));
    private static final boolean WRITE = "write".equals(System.getProperty("format"));

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
            if (formatted.equals(text)) {
                continue;
            }
            if (isDamaged(formatted)) {
                wrong.add(ROOT.relativize(file) + ":" + firstDifference(text, formatted) + " (wrap this line by hand)");
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
    void aBadlyFormattedSourceWouldBeFound() throws FormatterException {
        String bad = "class A{int  x ;}";
        assertThat(formatter.formatSourceAndFixImports(bad)).isEqualTo("class A {\n    int x;\n}\n");
    }

    private String format(Path file, String text) {
        try {
            return formatter.formatSourceAndFixImports(text);
        } catch (FormatterException e) {
            throw new AssertionError(ROOT.relativize(file) + " cannot be parsed: " + e.getMessage(), e);
        }
    }

    /// The formatter wraps a `///` line that is too long, and now and then leaves the rest of it without its slashes.
    private boolean isDamaged(String formatted) {
        try {
            formatter.formatSourceAndFixImports(formatted);
            return false;
        } catch (FormatterException e) {
            return true;
        }
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
