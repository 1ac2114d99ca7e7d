package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The short fuzz run of every build: fixed seeds, so that a failure can be repeated. `TokenizerFuzzTest` is the long
/// one.
class TokenizerMutationTest {
    @Test
    void theSeedsAreSound() {
        assertThat(seeds())
                .allSatisfy(seed -> assertThat(TokenizerProbe.probe(seed)).isTrue());
    }

    @Test
    @Timeout(60)
    void textsForSoundVocabularies() {
        Random random = new Random(17);
        for (int i = 0; i < 8_000; i++) {
            byte[] text = RandomText.next(random, 24).getBytes(StandardCharsets.UTF_8);
            run(input(0, i % SmallVocabularies.KINDS.size(), damaged(text, random)));
        }
    }

    @Test
    @Timeout(60)
    void anyVocabularies() {
        Random random = new Random(19);
        List<byte[]> seeds = seeds();
        for (int i = 0; i < 3_000; i++) {
            run(damaged(seeds.get(random.nextInt(seeds.size())), random));
            byte[] noise = new byte[random.nextInt(400)];
            random.nextBytes(noise);
            run(input(1, i % SmallVocabularies.KINDS.size(), noise));
        }
    }

    private static byte[] damaged(byte[] bytes, Random random) {
        byte[] out = bytes.clone();
        for (int n = random.nextInt(4); n > 0 && out.length > 0; n--) {
            int at = random.nextInt(out.length);
            switch (random.nextInt(3)) {
                case 0 -> out[at] = (byte) random.nextInt();
                case 1 -> out[at] ^= (byte) (1 << random.nextInt(8));
                default -> out = Arrays.copyOf(out, at);
            }
        }
        return out;
    }

    private static void run(byte[] input) {
        try {
            TokenizerProbe.probe(input);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(HexFormat.of().formatHex(input), e);
        }
    }

    private static byte[] input(int mode, int kind, byte[] rest) {
        byte[] input = new byte[rest.length + 2];
        input[0] = (byte) mode;
        input[1] = (byte) kind;
        System.arraycopy(rest, 0, input, 2, rest.length);
        return input;
    }

    /// A text and a vocabulary of letters for each kind.
    static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (int kind = 0; kind < SmallVocabularies.KINDS.size(); kind++) {
            seeds.add(input(0, kind, "the <s>  aaaa é 中文 12's\n\n<tool>x".getBytes(StandardCharsets.UTF_8)));
            seeds.add(input(1, kind, vocabulary()));
        }
        return seeds;
    }

    /// As [TokenizerProbe] reads it.
    private static byte[] vocabulary() {
        List<String> tokens = List.of("a", "b", "ab", "abab", "<s>", "<0x61>", " ", "▁", "\n", "▁a", "é", "<u>");
        byte[] types = {1, 1, 1, 1, 3, 6, 1, 1, 1, 1, 4, 2};
        StringBuilder bytes = new StringBuilder().append((char) tokens.size());
        for (String token : tokens) {
            String text = new String(token.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
            bytes.append((char) text.length()).append(text);
        }
        bytes.append("\0\0").append(new String(types, StandardCharsets.ISO_8859_1));
        bytes.append("\0\0").append("lkjihgfedcba");
        bytes.append("\u0003\u0000\u0001\u0002\u0002\u0007\u0000");
        bytes.append("\u00F1\u0005\u000C").append("ab abab<s>\u00C3\u00A9 b");
        return bytes.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
}
