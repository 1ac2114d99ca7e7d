package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// The real chat templates, which are their publishers' and stay outside the project: tests that need them are skipped
/// where they are absent, unless `PANAMOE_REQUIRE_ALL` is set.
final class SharedTemplates {
    private static final Path FOLDER =
            Path.of(System.getProperty("panamoe.root", ".")).resolve("../shared/templates");

    private SharedTemplates() {}

    static Path file(String name) {
        Path path = FOLDER.resolve(name);
        if (System.getenv("PANAMOE_REQUIRE_ALL") != null) {
            assertThat(path).exists();
        }
        assumeTrue(Files.exists(path), () -> path + " is not here");
        return path;
    }

    static Map<String, Object> json(String name) throws Exception {
        return JsonMapper.shared().readValue(Files.readString(file(name)), new TypeReference<>() {});
    }
}
