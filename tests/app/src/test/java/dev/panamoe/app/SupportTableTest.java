package dev.panamoe.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.chat.Dialect;
import dev.panamoe.engine.Backends;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe.Usable;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What the README says is supported is what the code supports. With `-Dsupport=write` the table is written anew.
///
/// A backend that cannot be used on this machine keeps the row that it has: only where it runs can it be asked.
class SupportTableTest {
    private static final Path README = Path.of(System.getProperty("panamoe.root"), "README.md");
    private static final boolean WRITE = "write".equals(System.getProperty("support"));

    private static final String BEGIN = "<!-- begin: what is supported, written by SupportTableTest -->\n";
    private static final String END = "<!-- end: what is supported -->";

    /// What a big weight is used for.
    private static final Set<WeightUse> MATRICES =
            EnumSet.complementOf(EnumSet.of(WeightUse.VECTOR, WeightUse.EXPERT_BIAS));

    @Test
    void theReadmeSaysWhatTheCodeSupports() throws IOException {
        String readme = Files.readString(README);
        int begin = readme.indexOf(BEGIN) + BEGIN.length();
        int end = readme.indexOf(END);
        assertThat(readme).contains(BEGIN, END);
        String written = readme.substring(begin, end);
        String generated = table(written);
        if (WRITE && !written.equals(generated)) {
            Files.writeString(README, readme.substring(0, begin) + generated + readme.substring(end));
            System.out.println("wrote the table of what is supported into README.md");
            return;
        }
        assertThat(written)
                .as("the table of what is supported in README.md; write it anew with: mvn -q verify -pl tests/app -am"
                        + " -Dtest=SupportTableTest -Dsurefire.failIfNoSpecifiedTests=false -Dsupport=write")
                .isEqualTo(generated);
    }

    /// No tokenizer is listed that `Tokenizer.of` refuses by its name, and none is left out.
    @Test
    void theTokenizersThatAreListedAreThere() {
        Tokenizer.supported().forEach((model, pres) -> {
            assertThat(refusal(Map.of("tokenizer.ggml.model", model))).doesNotContain("is not supported");
            pres.forEach(pre -> assertThat(refusal(Map.of("tokenizer.ggml.model", model, "tokenizer.ggml.pre", pre)))
                    .doesNotContain("is not supported"));
        });
        assertThat(refusal(Map.of("tokenizer.ggml.model", "?")))
                .endsWith("known are " + String.join(", ", Tokenizer.supported().keySet()));
    }

    private static String refusal(Map<String, Object> metadata) {
        try {
            return Tokenizer.of(Metadata.of("m", metadata)).toString();
        } catch (PanamoeException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /// @param written the table as it stands in the README
    private static String table(String written) {
        Map<String, String> rows = new LinkedHashMap<>();
        rows.put(
                "architectures (`general.architecture`)",
                Architectures.descriptions().entrySet().stream()
                        .map(a -> code(a.getKey()) + ": " + a.getValue())
                        .collect(Collectors.joining(" · ")));
        rows.put("files", "GGUF versions 2 and 3, little-endian, split files");
        // By name, since which one is best differs from machine to machine.
        for (Backends.Found backend : Backends.survey().stream()
                .sorted(Comparator.comparing(Backends.Found::name))
                .toList()) {
            String title = "weights on " + code(backend.name());
            types(backend).or(() -> find(written, title)).ifPresent(types -> rows.put(title, types));
        }
        rows.put(
                "keys and values (`--cache-type`)",
                Arrays.stream(CacheType.values()).map(CacheType::name).collect(Collectors.joining(", ")));
        rows.put(
                "tokenizers (`tokenizer.ggml.model`)",
                Tokenizer.supported().entrySet().stream()
                        .map(t -> code(t.getKey()) + (t.getValue().isEmpty() ? "" : ", " + preTokenizers(t.getValue())))
                        .collect(Collectors.joining(" · ")));
        rows.put(
                "reasoning and tool calls",
                Arrays.stream(Dialect.Family.values())
                        .map(Dialect.Family::title)
                        .collect(Collectors.joining(" · ")));
        StringBuilder table = new StringBuilder("| | |\n|---|---|\n");
        rows.forEach((title, cell) ->
                table.append("| ").append(title).append(" | ").append(cell).append(" |\n"));
        return table.toString();
    }

    private static String code(String name) {
        return "`" + name + "`";
    }

    private static String preTokenizers(Set<String> names) {
        return "with the pre-tokenisers (`tokenizer.ggml.pre`) "
                + names.stream().map(SupportTableTest::code).collect(Collectors.joining(", "));
    }

    /// The weight types of a backend's best device; empty when it is not usable here.
    private static Optional<String> types(Backends.Found backend) {
        if (!(backend.probe() instanceof Usable usable)) {
            return Optional.empty();
        }
        try (Device device = backend.provider().open(usable.devices().getFirst(), DeviceOptions.DEFAULT)) {
            Set<QuantType> all = EnumSet.allOf(QuantType.class);
            MATRICES.forEach(use -> all.retainAll(supported(device, use)));
            List<String> parts = new ArrayList<>();
            parts.add(names(all));
            Map<WeightUse, String> more = new TreeMap<>();
            for (WeightUse use : MATRICES) {
                Set<QuantType> beyond = supported(device, use);
                beyond.removeAll(all);
                if (!beyond.isEmpty()) {
                    more.put(use, "also " + names(beyond) + " for " + use);
                }
            }
            parts.addAll(more.values());
            Set<QuantType> vectors = supported(device, WeightUse.VECTOR);
            if (!vectors.equals(all)) {
                parts.add("norms and biases: " + names(vectors));
            }
            Set<QuantType> expertBiases = supported(device, WeightUse.EXPERT_BIAS);
            if (!expertBiases.containsAll(vectors)) {
                parts.add("biases of experts: " + names(expertBiases));
            }
            return Optional.of(String.join("; ", parts));
        }
    }

    private static Set<QuantType> supported(Device device, WeightUse use) {
        Set<QuantType> types = EnumSet.noneOf(QuantType.class);
        Arrays.stream(QuantType.values()).filter(t -> device.supports(use, t)).forEach(types::add);
        return types;
    }

    private static String names(Set<QuantType> types) {
        return types.stream().map(QuantType::name).collect(Collectors.joining(", "));
    }

    /// The right cell of the row with this title.
    private static Optional<String> find(String table, String title) {
        return Pattern.compile("(?m)^\\| " + Pattern.quote(title) + " \\| (.*) \\|$")
                .matcher(table)
                .results()
                .map(m -> m.group(1))
                .findFirst();
    }
}
