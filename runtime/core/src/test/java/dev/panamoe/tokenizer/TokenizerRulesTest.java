package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Special tokens, fallbacks, stop tokens and faulty files, on a vocabulary small enough to read.
class TokenizerRulesTest {
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER = 4;
    private static final int BYTE = 6;

    private final List<String> tokens = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();
    private final Map<String, Object> keys = new HashMap<>();

    private int add(String text, int type) {
        tokens.add(text);
        types.add(type);
        return tokens.size() - 1;
    }

    private Metadata metadata() {
        keys.putIfAbsent("tokenizer.ggml.tokens", tokens);
        keys.putIfAbsent(
                "tokenizer.ggml.token_type", types.stream().mapToInt(i -> i).toArray());
        keys.putIfAbsent("tokenizer.ggml.merges", List.of());
        return Metadata.of("m.gguf", keys);
    }

    private Tokenizer gemma() {
        keys.put("tokenizer.ggml.model", "gemma4");
        return Tokenizer.of(metadata());
    }

    private Tokenizer byteLevel() {
        keys.put("tokenizer.ggml.model", "gpt2");
        return Tokenizer.of(metadata());
    }

    @Test
    void theLongestSpecialTokenWinsAndControlOnesAreTextUnlessAsked() {
        int a = add("a", NORMAL);
        int b = add("b", NORMAL);
        int shortOne = add("ab", USER);
        int longOne = add("abb", CONTROL);
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.encode("aabbab", true)).containsExactly(a, longOne, shortOne);
        assertThat(tokenizer.encode("aabbab", false)).containsExactly(a, shortOne, b, shortOne);
        assertThat(tokenizer.isControl(longOne)).isTrue();
        assertThat(tokenizer.isControl(shortOne)).isFalse();
        assertThat(tokenizer.idOf("abb")).hasValue(longOne);
        assertThat(tokenizer.idOf("a")).isEmpty();
        assertThat(tokenizer.idOf("nothing")).isEmpty();
        assertThat(tokenizer.decode(new int[] {a, longOne, shortOne})).isEqualTo("aab");
    }

    @Test
    void guardedTextHoldsNoControlTokens() {
        int a = add("a", NORMAL);
        int b = add("b", NORMAL);
        int e = add("é", NORMAL);
        int control = add("ab", CONTROL);
        int within = add("ba", CONTROL);
        int accented = add("éa", CONTROL);
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.encodeGuarded("ab" + tokenizer.guard("ababéa")))
                .containsExactly(control, a, b, a, b, e, a);
        assertThat(tokenizer.encodeGuarded("ba")).containsExactly(within);
        assertThat(tokenizer.encode("éa", true)).containsExactly(accented);
        assertThat(tokenizer.guard("aéb")).isEqualTo("aéb");
    }

    @Test
    void theLastOfEqualTokensIsFound() {
        add("a", NORMAL);
        int last = add("a", NORMAL);
        assertThat(gemma().encode("a", false)).containsExactly(last);
    }

    @Test
    void runsOfNewlinesAreOneTokenWhereThereIsOne() {
        int space = add("▁", NORMAL);
        int one = add("\n", NORMAL);
        int three = add("\n\n\n", NORMAL);
        assertThat(gemma().encode("\n\n\n \n\n", false)).containsExactly(three, space, one, one);
    }

    @Test
    void charactersWithoutATokenBecomeBytesAndThenTheUnknownToken() {
        int unknown = add("<unk>", UNKNOWN);
        int e2 = add("<0xE2>", BYTE);
        int byte82 = add("<0x82>", BYTE);
        int ac = add("<0xAC>", BYTE);
        keys.put("tokenizer.ggml.unknown_token_id", unknown);
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.encode("€", false)).containsExactly(e2, byte82, ac);
        assertThat(tokenizer.encode("€é", false)).containsExactly(e2, byte82, ac, unknown, unknown);
        assertThat(tokenizer.decode(new int[] {e2, byte82, ac})).isEqualTo("€");
        assertThat(tokenizer.encode("<0xE2>", false)).doesNotContain(e2);
        // the unknown token may not be forged either
        assertThat(tokenizer.encode("<unk>", true)).containsExactly(unknown);
        assertThat(tokenizer.encode("<unk>", false)).hasSize(5).containsOnly(unknown);
    }

    @Test
    void bytesThatNoTokenStandsForAreAnError() {
        add("a", NORMAL);
        assertThatThrownBy(() -> gemma().encode("b", false))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("m.gguf")
                .hasMessageContaining("0x62");
        assertThatThrownBy(() -> byteLevel().encode("a\n", false))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("m.gguf")
                .hasMessageContaining("0x0A");
    }

    @Test
    void unpairedSurrogatesAreReplaced() {
        int replacement = add("\uFFFD", NORMAL);
        assertThat(gemma().encode("\uD83D", false)).containsExactly(replacement);
    }

    @Test
    void gemmaAlwaysBeginsWithBos() {
        int bos = add("<bos>", CONTROL);
        keys.put("tokenizer.ggml.bos_token_id", bos);
        keys.put("tokenizer.ggml.add_bos_token", false);
        assertThat(gemma().addBos()).isTrue();
        assertThat(byteLevel().addBos()).isFalse();
        keys.put("tokenizer.ggml.add_bos_token", true);
        assertThat(byteLevel().addBos()).isTrue();
    }

    @Test
    void withoutABosTokenNoneIsAdded() {
        add("a", NORMAL);
        assertThat(gemma().addBos()).isFalse();
    }

    @Test
    void stopTokensComeFromKeysAndFromTheFamilyByText() {
        int eos = add("<eos>", CONTROL);
        int tag = add("</s>", NORMAL); // an HTML tag in Gemma's vocabulary
        int turn = add("<turn|>", USER);
        int eom = add("<eom>", CONTROL);
        add("<|EOT|>", CONTROL);
        add("<|tool_response>", NORMAL);
        keys.put("tokenizer.ggml.eos_token_id", turn);
        keys.put("tokenizer.ggml.eom_token_id", eom);
        assertThat(gemma().stopTokens())
                .containsExactlyInAnyOrder(eos, turn, eom)
                .doesNotContain(tag);
    }

    @Test
    void tokensAreShownAsTheVocabularyWritesThem() {
        add("Ġa", NORMAL);
        add("<｜▁｜>", USER);
        Tokenizer tokenizer = byteLevel();
        assertThat(tokenizer.token(0)).isEqualTo("Ġa");
        assertThat(tokenizer.decode(new int[] {0, 1})).isEqualTo(" a<｜▁｜>");
        assertThatThrownBy(() -> tokenizer.token(2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tokenizer.bytes(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void faultyFilesAreRefusedInOneLine() {
        refused(
                "wrong kind",
                k -> k.put("tokenizer.ggml.model", "b\u001Bert\n"),
                "tokenizer.ggml.model",
                "gemma4, gpt2");
        refused("no kind", k -> k.remove("tokenizer.ggml.model"), "tokenizer.ggml.model");
        refused("wrong pre", k -> k.put("tokenizer.ggml.pre", "mystery"), "mystery", "deepseek-v3", "gpt-2");
        refused("no tokens", k -> k.remove("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
        refused("empty", k -> k.put("tokenizer.ggml.tokens", List.of()), "tokenizer.ggml.tokens", "0 entries");
        refused("few types", k -> k.put("tokenizer.ggml.token_type", new int[] {1}), "1 entries for 2 tokens");
        refused("no merges", k -> k.remove("tokenizer.ggml.merges"), "tokenizer.ggml.merges");
        for (String merge : List.of("", " ", "a", "ab", "a ", " b", "  ")) {
            refused("merge", k -> k.put("tokenizer.ggml.merges", List.of("a b", merge)), "merges[1]");
        }
        for (String name : List.of("bos", "eos", "eot", "eom", "unknown")) {
            String key = "tokenizer.ggml." + name + "_token_id";
            refused(key, k -> k.put(key, 2), key, "is 2");
            refused(key, k -> k.put(key, -1), key);
        }
        refused(
                "long special token",
                k -> {
                    k.put("tokenizer.ggml.tokens", List.of("a", "b".repeat(600)));
                    k.put("tokenizer.ggml.token_type", new int[] {1, 3});
                },
                "600 bytes");
    }

    private static void refused(String what, Consumer<Map<String, Object>> fault, String... parts) {
        Map<String, Object> keys = new HashMap<>(Map.of(
                "tokenizer.ggml.model",
                "gpt2",
                "tokenizer.ggml.pre",
                "deepseek-v3",
                "tokenizer.ggml.tokens",
                List.of("a", "b"),
                "tokenizer.ggml.token_type",
                new int[] {1, 1},
                "tokenizer.ggml.merges",
                List.of("a b")));
        assertThat(Tokenizer.of(Metadata.of("m.gguf", keys)).size()).isEqualTo(2);
        fault.accept(keys);
        assertThatThrownBy(() -> Tokenizer.of(Metadata.of("m.gguf", keys)))
                .as(what)
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("m.gguf: ")
                .hasMessageNotContainingAny("\n", "\u001B")
                .hasMessageContainingAll(parts);
    }
}
