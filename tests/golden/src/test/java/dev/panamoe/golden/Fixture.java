package dev.panamoe.golden;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One variant of a tiny model with what an independent implementation (Hugging Face transformers) computes for it.
///
/// @param prompts token ids
/// @param greedy the continuation of each prompt
/// @param logits of each prompt and its continuation but the last token: (rows, vocabulary)
/// @param peerRowRms median over rows of how far another engine's logits are from these; empty when it could not run
/// @param hidden (layers + 2, tokens, embedding) of prompt 0, or empty when recorded for another variant
record Fixture(
        String name,
        Path model,
        int vocabulary,
        List<int[]> prompts,
        List<int[]> greedy,
        List<float[]> logits,
        OptionalDouble peerRowRms,
        Optional<float[]> hidden) {
    private static final JsonMapper JSON = new JsonMapper();

    /// All variants of the fixtures in `tests/data/fixtures`.
    static List<Fixture> all() {
        Path root = Path.of(System.getProperty("panamoe.testdata"), "fixtures");
        List<Fixture> fixtures = new ArrayList<>();
        try (var folders = Files.list(root)) {
            for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
                JsonNode golden = JSON.readTree(folder.resolve("golden.json").toFile());
                JsonNode peers = JSON.readTree(folder.resolve("crosscheck.json").toFile());
                for (String variant : golden.get("variants").propertyNames()) {
                    fixtures.add(read(folder, golden, peers, variant));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return fixtures;
    }

    private static Fixture read(Path folder, JsonNode golden, JsonNode peers, String name) {
        JsonNode variant = golden.get("variants").get(name);
        int vocabulary = golden.get("vocab_size").asInt();
        float[] all = floats(folder.resolve(variant.get("logits").asString()));
        List<float[]> logits = new ArrayList<>();
        int at = 0;
        for (JsonNode shape : variant.get("logits_shapes")) {
            int size = shape.get(0).asInt() * shape.get(1).asInt();
            logits.add(Arrays.copyOfRange(all, at, at + size));
            at += size;
        }
        JsonNode hidden = golden.get("hidden");
        JsonNode peer = peers.path(name).path("upstream").path("batch").path("median_row_rms");
        boolean ours = hidden.get("variant").asString().equals(name);
        return new Fixture(
                folder.getFileName() + "/" + name,
                folder.resolve(variant.get("model").asString()),
                vocabulary,
                idLists(golden.get("prompts")),
                idLists(variant.get("greedy")),
                logits,
                peer.isNumber() ? OptionalDouble.of(peer.asDouble()) : OptionalDouble.empty(),
                ours ? Optional.of(floats(folder.resolve(hidden.get("file").asString()))) : Optional.empty());
    }

    private static List<int[]> idLists(JsonNode lists) {
        List<int[]> out = new ArrayList<>();
        for (JsonNode list : lists) {
            out.add(JSON.convertValue(list, int[].class));
        }
        return out;
    }

    private static float[] floats(Path file) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            float[] out = new float[bytes.remaining() / 4];
            bytes.asFloatBuffer().get(out);
            return out;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Prompt `i` and its continuation without the last token.
    int[] sequence(int i) {
        int[] prompt = prompts.get(i);
        int[] all = Arrays.copyOf(prompt, prompt.length + greedy.get(i).length - 1);
        System.arraycopy(greedy.get(i), 0, all, prompt.length, greedy.get(i).length - 1);
        return all;
    }

    @Override
    public String toString() {
        return name;
    }
}
