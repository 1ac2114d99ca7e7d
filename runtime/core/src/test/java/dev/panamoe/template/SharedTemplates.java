package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The real chat templates, which are their publishers' and stay outside the project: tests that need them are skipped
/// where they are absent, unless `PANAMOE_REQUIRE_ALL` is set.
public final class SharedTemplates {
    private static final Path FOLDER =
            Path.of(System.getProperty("panamoe.root", ".")).resolve("../shared/templates");

    private SharedTemplates() {}

    public static String read(String name) throws IOException {
        Path path = FOLDER.resolve(name);
        if (System.getenv("PANAMOE_REQUIRE_ALL") != null) {
            assertThat(path).exists();
        }
        assumeTrue(Files.exists(path), () -> path + " is not here");
        return Files.readString(path);
    }

    static JsonNode json(String name) throws IOException {
        return JsonMapper.shared().readTree(read(name));
    }

    static Map<String, @Nullable Object> map(JsonNode node) {
        return JsonMapper.shared().convertValue(node, new TypeReference<>() {});
    }
}
