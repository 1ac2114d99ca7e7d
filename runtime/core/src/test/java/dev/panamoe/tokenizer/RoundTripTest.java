package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever goes in comes out again, byte for byte.
class RoundTripTest {
    @ParameterizedTest
    @ValueSource(strings = {"tiny-gemma4-moe", "tiny-deepseek-r1"})
    void demoVocabularies(String name) {
        check(Goldens.demo(name), name.contains("gemma"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma3", "deepseek-v3", "qwen3"})
    void publishedVocabularies(String name) {
        check(Goldens.published(name), name.contains("gemma"));
    }

    private static void check(Tokenizer tokenizer, boolean gemma) {
        Random random = new Random(11);
        for (int i = 0; i < 1_000; i++) {
            byte[] text = RandomText.next(random, 16).getBytes(StandardCharsets.UTF_8);
            for (int flips = i % 3; flips > 0 && text.length > 0; flips--) {
                text[random.nextInt(text.length)] = (byte) random.nextInt(256); // no UTF-8 any more, mostly
            }
            for (boolean parseSpecial : new boolean[] {false, true}) {
                int[] ids = tokenizer.encode(text, parseSpecial);
                assertThat(joined(tokenizer, ids)).isEqualTo(gemma ? withSpaces(text) : text);
                checkStream(tokenizer, ids, true);
                checkStream(tokenizer, ids, false);
            }
        }
    }

    /// Gemma's vocabulary writes a space as U+2581, so that one cannot come back.
    private static byte[] withSpaces(byte[] text) {
        return new String(text, StandardCharsets.ISO_8859_1)
                .replace("\u00E2\u0096\u0081", " ")
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /// As the JDK decodes it, but for encoded surrogates: it gives one U+FFFD for the three bytes, the Unicode standard
    /// recommends one for each, since no character begins with the first two.
    private static String decoded(byte[] bytes) {
        String surrogatesBroken =
                new String(bytes, StandardCharsets.ISO_8859_1).replaceAll("\u00ED(?=[\u00A0-\u00BF])", "\u00FF");
        return new String(surrogatesBroken.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    private static byte[] joined(Tokenizer tokenizer, int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(tokenizer.bytes(id));
        }
        return bytes.toByteArray();
    }

    /// The parts of a stream joined are the whole, and no part ends within a character.
    private static void checkStream(Tokenizer tokenizer, int[] ids, boolean showControl) {
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        StringBuilder streamed = new StringBuilder();
        TokenStream stream = tokenizer.stream(showControl);
        for (int id : ids) {
            String part = stream.append(id);
            assertThat(part.isEmpty() || !Character.isHighSurrogate(part.charAt(part.length() - 1)))
                    .isTrue();
            streamed.append(part);
            if (showControl || !tokenizer.isControl(id)) {
                shown.writeBytes(tokenizer.bytes(id));
            }
        }
        streamed.append(stream.finish());
        assertThat(streamed.toString()).isEqualTo(decoded(shown.toByteArray()));
        if (!showControl) {
            assertThat(tokenizer.decode(ids)).isEqualTo(streamed.toString());
        }
    }
}
