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

    private Tokenizer sentencePiece(float... scores) {
        keys.put("tokenizer.ggml.model", "llama");
        keys.put("tokenizer.ggml.scores", scores);
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
    void stopTokensComeFromKeysAndByTheirTexts() {
        int eos = add("<eos>", CONTROL);
        int tag = add("</s>", NORMAL); // an HTML tag in Gemma's vocabulary
        int turn = add("<turn|>", USER);
        int eom = add("<eom>", CONTROL);
        int response = add("<|tool_response>", NORMAL);
        keys.put("tokenizer.ggml.eos_token_id", turn);
        keys.put("tokenizer.ggml.eom_token_id", eom);
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.stopTokens()).containsExactlyInAnyOrder(eos, turn, eom, response);
        assertThat(tokenizer.isControl(tag)).isFalse();
    }

    @Test
    void markersAreControlTokensHoweverTheFileTypesThem() {
        int im = add("<|im_end|>", USER);
        int eot = add("<|eot_id|>", NORMAL);
        int think = add("<think>", USER);
        for (int i = 0; i < 256; i++) {
            add(String.format("<0x%02X>", i), BYTE);
        }
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.stopTokens()).containsExactlyInAnyOrder(im, eot);
        assertThat(tokenizer.isControl(im) && tokenizer.isControl(eot)).isTrue();
        assertThat(tokenizer.encode("<|im_end|><|eot_id|><think>", true)).containsExactly(im, eot, think);
        assertThat(tokenizer.encode("<|im_end|><|eot_id|><think>", false))
                .hasSize(21)
                .doesNotContain(im, eot)
                .endsWith(think);
        assertThat(tokenizer.decode(new int[] {im, think})).isEqualTo("<think>");
    }

    @Test
    void endClosesOnlyAMessageWhereOtherTokensEndTheAnswer() {
        int end = add("<|end|>", CONTROL);
        assertThat(byteLevel().stopTokens()).containsExactly(end); // Phi
        keys.clear();
        int back = add("<|return|>", CONTROL);
        int call = add("<|call|>", CONTROL);
        keys.put("tokenizer.ggml.eot_token_id", end);
        assertThat(byteLevel().stopTokens()).containsExactlyInAnyOrder(back, call); // gpt-oss
    }

    @Test
    void noControlTokenIsMadeOutOfText() {
        int a = add("a", NORMAL);
        int b = add("b", NORMAL);
        add("ab", CONTROL);
        int c = add("c", NORMAL);
        keys.put("tokenizer.ggml.merges", List.of("a b"));
        keys.put("tokenizer.ggml.pre", "llama-bpe"); // which looks for whole pieces
        assertThat(byteLevel().encode("ab", false)).containsExactly(a, b);
        assertThat(gemma().encode("ab", false)).containsExactly(a, b);
        assertThat(tokens.get(c)).isEqualTo("c");
    }

    @Test
    void aControlTokenOfOneCharacterIsGuardedToo() {
        int a = add("a", NORMAL);
        int dot = add("•", CONTROL);
        for (int i = 0; i < 256; i++) {
            add(String.format("<0x%02X>", i), BYTE);
        }
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.encodeGuarded("•a" + tokenizer.guard("•a")))
                .startsWith(dot, a)
                .hasSize(6);
    }

    @Test
    void guardsWithinAUserDefinedTokenDoNotFreeAControlToken() {
        int start = add("<s>", CONTROL);
        int within = add("xz", CONTROL);
        int user = add("<s>xz", USER);
        for (int i = 0; i < 256; i++) {
            add(String.format("<0x%02X>", i), BYTE);
        }
        Tokenizer tokenizer = gemma();
        assertThat(tokenizer.encode("<s>xz", false)).containsExactly(user);
        assertThat(tokenizer.encodeGuarded(tokenizer.guard("<s>xz"))).hasSize(5).doesNotContain(start, within);
    }

    @Test
    void aPieceThatIsATokenIsNotMerged() {
        int a = add("a", NORMAL);
        int bc = add("bc", NORMAL);
        int ab = add("ab", NORMAL);
        int whole = add("abc", NORMAL);
        add("b", NORMAL);
        int c = add("c", NORMAL);
        int space = add("Ġabc", NORMAL);
        keys.put("tokenizer.ggml.merges", List.of("a b"));
        keys.put("tokenizer.ggml.pre", "smaug-bpe");
        assertThat(byteLevel().encode("abc", false)).containsExactly(ab, c);
        keys.put("tokenizer.ggml.pre", "llama-bpe");
        assertThat(byteLevel().encode("abc abc", false)).containsExactly(whole, space);
        assertThat(byteLevel().encode("abca", false)).containsExactly(ab, c, a);
        assertThat(byteLevel().encode("bc", false)).containsExactly(bc);
    }

    @Test
    void sentencePieceMergesTheHighestScoreAndTheLeftmostOfEqual() {
        int space = add("▁", NORMAL);
        int a = add("a", NORMAL);
        int b = add("b", NORMAL);
        int ab = add("ab", NORMAL);
        int ba = add("ba", NORMAL);
        int aa = add("aa", NORMAL);
        assertThat(sentencePiece(-1, -1, -1, -3, -2, -2).encode("aba", false)).containsExactly(space, a, ba);
        assertThat(sentencePiece(-1, -1, -1, -2, -3, -2).encode("aba", false)).containsExactly(space, ab, a);
        assertThat(sentencePiece(-1, -1, -1, -2, -2, -2).encode("baba", false)).containsExactly(space, ba, ba);
        assertThat(sentencePiece(-1, -1, -1, 0, -0f, -2).encode("baba", false)).containsExactly(space, ba, ba);
        assertThat(sentencePiece(-1, -1, -1, -2, -3, -2).encode("aaa", false)).containsExactly(space, aa, a);
        assertThat(sentencePiece(0, 0, 0, Float.NaN, -3, 0).encode("aba", false))
                .containsExactly(space, a, ba);
        assertThat(b).isLessThan(ab);
    }

    /// Found by fuzzing: the mark that guards a name has bytes, and a name may be one of them.
    @Test
    void aGuardIsNoName() {
        byte[][] tokens = {{(byte) 0xB7}, {(byte) 0x90}, {'a'}, {'b'}};
        Tokenizer tokenizer = Tokenizer.of(Metadata.of(
                "test",
                Map.of(
                        "tokenizer.ggml.model",
                        "gemma4",
                        "tokenizer.ggml.tokens",
                        tokens,
                        "tokenizer.ggml.token_type",
                        new int[] {CONTROL, CONTROL, CONTROL, NORMAL},
                        "tokenizer.ggml.merges",
                        new byte[0][],
                        "tokenizer.ggml.unknown_token_id",
                        2)));
        assertThat(tokenizer.encodeGuarded(tokenizer.guard("ba"))).containsExactly(3, 2);
    }

    @Test
    void sentencePiecePutsASpaceInFrontOfEachText() {
        int space = add("▁", NORMAL);
        int a = add("a", NORMAL);
        int spaced = add("▁a", NORMAL);
        int bos = add("<s>", CONTROL);
        int tool = add("<tool>", USER);
        keys.put("tokenizer.ggml.bos_token_id", bos);
        Tokenizer tokenizer = sentencePiece(0, 0, 0, 0, 0);
        assertThat(tokenizer.encode("", true)).isEmpty();
        assertThat(tokenizer.encode("a", true)).containsExactly(spaced);
        assertThat(tokenizer.encode(" a", true)).containsExactly(space, spaced);
        assertThat(tokenizer.encode("<s><s>a<tool>aa", true)).containsExactly(bos, bos, spaced, tool, spaced, a);
        assertThat(tokenizer.encodeGuarded("<s>" + tokenizer.guard("a"))).containsExactly(bos, spaced);
        assertThat(tokenizer.addBos() && tokenizer.addsSpacePrefix()).isTrue();
        keys.put("tokenizer.ggml.add_bos_token", false);
        keys.put("tokenizer.ggml.add_space_prefix", false);
        Tokenizer bare = sentencePiece(0, 0, 0, 0, 0);
        assertThat(bare.encode("<s>a a", true)).containsExactly(bos, a, spaced);
        assertThat(bare.decode(new int[] {spaced, spaced})).isEqualTo(" a a");
        assertThat(bare.addBos() || bare.addsSpacePrefix()).isFalse();
    }

    @Test
    void theSpaceInFrontIsNoPartOfTheText() {
        int space = add("▁", NORMAL);
        int spaced = add("▁a", NORMAL);
        int bos = add("<s>", CONTROL);
        Tokenizer tokenizer = sentencePiece(0, 0, 0);
        assertThat(tokenizer.decode(new int[] {spaced, spaced})).isEqualTo("a a");
        assertThat(tokenizer.decode(new int[] {space, spaced})).isEqualTo(" a");
        assertThat(tokenizer.decode(new int[] {bos, spaced})).isEqualTo("a");
        assertThat(tokenizer.bytes(new int[] {spaced, bos, spaced})).asString().isEqualTo("a<s> a");
        TokenStream stream = tokenizer.stream(false);
        assertThat(stream.append(bos) + stream.append(spaced) + stream.append(spaced) + stream.finish())
                .isEqualTo("a a");
        assertThat(stream.append(spaced)).isEqualTo("a");
        assertThat(tokenizer.continuation(false).append(spaced)).isEqualTo(" a");
    }

    @Test
    void sentencePieceMakesNoByteTokenOutOfText() {
        int space = add("▁", NORMAL);
        add("<0x61>", BYTE);
        int start = add("<0x6", NORMAL);
        int rest = add("1>", NORMAL);
        for (char c : "<0x61>".toCharArray()) {
            add(Character.toString(c), NORMAL);
        }
        add("<0", NORMAL);
        add("<0x", NORMAL);
        float[] scores = new float[tokens.size()];
        assertThat(sentencePiece(scores).encode("<0x61>", false)).containsExactly(space, start, rest);
    }

    @Test
    void documentsEndWithEosWhereTheFileSaysSo() {
        int a = add("a", NORMAL);
        int eos = add("<end>", CONTROL);
        keys.put("tokenizer.ggml.add_eos_token", true);
        assertThat(byteLevel().addEos()).isFalse(); // there is none
        keys.put("tokenizer.ggml.eos_token_id", eos);
        assertThat(byteLevel().addEos()).isTrue();
        assertThat(byteLevel().withBosAndEos(new int[] {a})).containsExactly(a, eos);
        keys.put("tokenizer.ggml.bos_token_id", a);
        keys.put("tokenizer.ggml.pre", "tekken"); // begins with it by default
        assertThat(byteLevel().withBosAndEos(new int[0])).containsExactly(a, eos);
        keys.remove("tokenizer.ggml.add_eos_token");
        assertThat(byteLevel().withBosAndEos(new int[] {a})).containsExactly(a, a);
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
                "gemma4, gpt2, llama");
        refused("no kind", k -> k.remove("tokenizer.ggml.model"), "tokenizer.ggml.model");
        refused("wrong pre", k -> k.put("tokenizer.ggml.pre", "mystery"), "mystery", "deepseek-v3", "gpt-2");
        refused("no tokens", k -> k.remove("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
        refused("empty", k -> k.put("tokenizer.ggml.tokens", List.of()), "tokenizer.ggml.tokens", "0 entries");
        refused("few types", k -> k.put("tokenizer.ggml.token_type", new int[] {1}), "1 entries for 2 tokens");
        refused(
                "few scores",
                k -> {
                    k.put("tokenizer.ggml.model", "llama");
                    k.put("tokenizer.ggml.scores", new float[1]);
                },
                "1 entries for 2 tokens");
        refused("no scores", k -> k.put("tokenizer.ggml.model", "llama"), "tokenizer.ggml.scores");
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
