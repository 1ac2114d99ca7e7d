package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A megabyte in one line takes parts of a second. Anything quadratic would take hours, so a generous limit tells.
class LongInputTest {
    private static final int LENGTH = 1 << 19;

    @ParameterizedTest
    @ValueSource(strings = {"gemma3", "deepseek-v3", "qwen3"})
    void halfAMegabyteInOneLine(String name) {
        check(Goldens.published(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gpt-4o"})
    void ofKindsWithoutAPublishedVocabulary(String kind) {
        check(SmallVocabularies.of(kind));
    }

    private static void check(Tokenizer tokenizer) {
        texts().forEach((what, text) -> assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertThat(tokenizer.decode(tokenizer.encode(text, true)).equals(text))
                        .as(what)
                        .isTrue(),
                what));
    }

    private static Map<String, String> texts() {
        Random random = new Random(3);
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("one letter", "a".repeat(LENGTH));
        texts.put(
                "letters",
                random.ints(LENGTH, 'a', 'z' + 1)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString());
        texts.put("capitals", "A".repeat(LENGTH));
        texts.put("spaces", " ".repeat(LENGTH));
        texts.put("spaces before a word", " \t".repeat(LENGTH / 2) + "x");
        texts.put("wide spaces before a letter", "\u2003".repeat(LENGTH / 3) + "é");
        texts.put("newlines", "\n".repeat(LENGTH));
        texts.put("line ends", "\r\n".repeat(LENGTH / 2));
        texts.put("digits", "7".repeat(LENGTH));
        texts.put(
                "Chinese",
                random.ints(LENGTH / 3, 0x4E00, 0x9FA6)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString());
        texts.put("beginnings of special tokens", "<｜begin".repeat(LENGTH / 10));
        texts.put("joiners", "\u200D".repeat(LENGTH / 3));
        texts.put("prose", "It's 12:30, and the 3 (three) cats — Café's own! — sleep. ".repeat(LENGTH / 60));
        return texts;
    }
}
