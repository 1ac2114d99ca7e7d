package dev.panamoe.arch;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.Printable;
import dev.panamoe.spec.ModelSpec;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// All architectures that can run. A new one is a file beside this and a line here.
public final class Architectures {
    private static final List<Architecture> ALL =
            List.of(new DeepSeek2(), new Gemma4(), new GptOss(), new Llama(), new Qwen2(), new Qwen3(), new Qwen3Moe());

    private Architectures() {}

    /// The names of `general.architecture` that can run.
    public static List<String> names() {
        return ALL.stream().map(Architecture::name).toList();
    }

    /// What each of them is, by its name, in Markdown.
    public static Map<String, String> descriptions() {
        Map<String, String> all = new TreeMap<>();
        ALL.forEach(a -> all.put(a.name(), a.description()));
        return all;
    }

    /// What the file's metadata describes.
    ///
    /// @throws PanamoeException when the architecture is not known or its metadata is not sound
    public static ModelSpec read(GgufFile file) {
        Architecture architecture = find(file);
        try {
            return architecture.read(file);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new PanamoeException(file.name() + ": the metadata contradicts itself: " + e.getMessage(), e);
        }
    }

    /// Checks only that the architecture is one that can run.
    ///
    /// @throws PanamoeException when it is not
    public static void requireKnown(GgufFile file) {
        find(file);
    }

    private static Architecture find(GgufFile file) {
        String name = file.metadata()
                .findString("general.architecture")
                .orElseThrow(() -> new PanamoeException(
                        file.name() + ": general.architecture is missing; this is not a model file"));
        Architecture architecture = ALL.stream()
                .filter(a -> a.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new PanamoeException(file.name() + ": the architecture '" + Printable.escape(name, 40)
                                + "' is not supported; supported are " + String.join(", ", names())));
        // The same layers under a mask that looks ahead are another model.
        if (!file.metadata().bool(name + ".attention.causal", true)) {
            throw new PanamoeException(file.name() + ": " + name + ".attention.causal is false: the model reads a text"
                    + " in both directions, which is not supported; use a causal model");
        }
        return architecture;
    }
}
