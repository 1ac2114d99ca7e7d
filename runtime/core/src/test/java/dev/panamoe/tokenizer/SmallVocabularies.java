package dev.panamoe.tokenizer;

import dev.panamoe.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Made-up vocabularies of every kind, complete in that each has a token for every byte.
final class SmallVocabularies {
    static final String SENTENCE_PIECE = "llama";
    static final String GEMMA = "gemma4";
    static final String USER_DEFINED = "<tool>";
    static final List<String> CONTROL = List.of("<s>", "</s>", "<|im_end|>");

    /// The kinds: two that write spaces as U+2581, and the names of pre-tokenisers of byte-level vocabularies.
    static final List<String> KINDS = List.of(
            SENTENCE_PIECE,
            GEMMA,
            "gpt-2",
            "default",
            "starcoder",
            "llama-bpe",
            "qwen2",
            "gpt-4o",
            "tekken",
            "deepseek-v3",
            "deepseek-llm",
            "deepseek-coder");

    private static final List<String> WORDS = List.of(
            " the",
            " there",
            "ing",
            "aa",
            "aaaa",
            "aaaaaaaa",
            "  ",
            "    ",
            "'s",
            "ab",
            "abc",
            " 12",
            "12",
            "Hello",
            "\n\n",
            "é",
            "中",
            "中文",
            "🙂",
            "...",
            "<s",
            " def");

    private SmallVocabularies() {}

    static Tokenizer of(String kind) {
        return Tokenizer.of(Metadata.of(kind, keys(kind)));
    }

    static boolean isByteLevel(String kind) {
        return !kind.equals(SENTENCE_PIECE) && !kind.equals(GEMMA);
    }

    static Map<String, Object> keys(String kind) {
        boolean byteLevel = isByteLevel(kind);
        List<String> tokens = new ArrayList<>(List.of("<unk>"));
        tokens.addAll(CONTROL);
        tokens.add(USER_DEFINED);
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3, 3, 4));
        for (int b = 0; b < 256; b++) {
            tokens.add(byteLevel ? Character.toString(byteCharacter(b)) : String.format("<0x%02X>", b));
            types.add(byteLevel ? 1 : 6);
        }
        Set<String> merged = new LinkedHashSet<>();
        List<String> merges = new ArrayList<>();
        for (String word : WORDS) {
            int[] characters = written(word, byteLevel).codePoints().toArray();
            String left = "";
            for (int c : characters) {
                String right = Character.toString(c);
                if (!left.isEmpty() && merged.add(left + right)) {
                    merges.add(left + " " + right);
                } else if (!byteLevel) {
                    merged.add(right);
                }
                left += right;
                merged.add(left);
            }
        }
        for (String text : merged) {
            if (!tokens.contains(text)) {
                tokens.add(text);
                types.add(1);
            }
        }
        float[] scores = new float[tokens.size()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = -(id / 3); // ties included
        }
        Map<String, Object> keys = new HashMap<>();
        keys.put("tokenizer.ggml.model", byteLevel ? "gpt2" : kind);
        keys.put("tokenizer.ggml.pre", kind);
        keys.put("tokenizer.ggml.tokens", tokens);
        keys.put("tokenizer.ggml.token_type", types.stream().mapToInt(i -> i).toArray());
        keys.put("tokenizer.ggml.scores", scores);
        keys.put("tokenizer.ggml.merges", merges);
        keys.put("tokenizer.ggml.unknown_token_id", 0);
        keys.put("tokenizer.ggml.bos_token_id", 1);
        keys.put("tokenizer.ggml.eos_token_id", 2);
        return keys;
    }

    private static String written(String word, boolean byteLevel) {
        if (!byteLevel) {
            return word.replace(' ', '▁');
        }
        StringBuilder characters = new StringBuilder();
        for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
            characters.append(byteCharacter(b & 0xFF));
        }
        return characters.toString();
    }

    /// GPT-2's character of a byte, see [ByteLevelText].
    private static char byteCharacter(int b) {
        int shifted = 0;
        for (int i = 0; i < b; i++) {
            shifted += isPrintable(i) ? 0 : 1;
        }
        return (char) (isPrintable(b) ? b : 0x100 + shifted);
    }

    private static boolean isPrintable(int b) {
        return (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
    }
}
