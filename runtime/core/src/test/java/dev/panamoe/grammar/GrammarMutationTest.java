package dev.panamoe.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The short fuzz run of every build: fixed seeds, so that a failure can be repeated. `GrammarFuzzTest` is the long
/// one.
class GrammarMutationTest {
    private static final List<String> PIECES = List.of(
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "|",
            "*",
            "+",
            "?",
            "\"",
            "\\",
            "^",
            "-",
            ",",
            ".",
            "::=",
            "\n",
            "#",
            "root",
            "x",
            "{1,2000}",
            "{9,}",
            "\\u",
            "\\x41",
            "\ud800",
            "😀",
            "0",
            "-1",
            "1e99",
            "\"$ref\":\"#\"",
            "\"anyOf\":",
            "null",
            "\"type\":\"integer\"",
            "\"minLength\":99,",
            "(?:",
            "\\\\d",
            "$");

    @Test
    void theSeedsAreSound() {
        assertThat(GrammarProbe.SEEDS).allMatch(GrammarProbe::probe);
    }

    @Test
    @Timeout(120)
    void damagedTextsAreParsedOrRefused() {
        var random = new Random(12);
        int refused = 0;
        int times = 6000;
        for (int i = 0; i < times; i++) {
            var text = new StringBuilder(GrammarProbe.SEEDS.get(i % GrammarProbe.SEEDS.size()));
            for (int j = random.nextInt(4); j >= 0; j--) {
                int at = random.nextInt(text.length() + 1);
                int to = Math.min(text.length(), at + random.nextInt(random.nextInt(20) + 1));
                switch (random.nextInt(3)) {
                    case 0 -> text.delete(at, to);
                    case 1 -> text.insert(at, text.substring(at, to));
                    default -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                }
            }
            try {
                refused += GrammarProbe.probe(text.toString()) ? 0 : 1;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("mutation " + i + ": " + text, e);
            }
        }
        assertThat(refused).as("a mutator that does no damage tests nothing").isBetween(times / 4, times - times / 20);
    }

    @Test
    @Timeout(120)
    void whatGrowsIsRefused() {
        for (String hostile : List.of(
                "root ::= " + "(".repeat(100_000),
                "root ::= \"a\"" + "{2}".repeat(10_000),
                "root ::= " + "(".repeat(90) + "\"a\"" + "{9})".repeat(90) + "{9}",
                "{\"items\":".repeat(400) + "{}" + "}".repeat(400),
                "{\"items\":".repeat(100_000),
                "{\"type\":\"string\",\"pattern\":\"" + "(".repeat(50_000) + "\"}",
                "{\"type\":\"string\",\"pattern\":\"((((a{9999}){9999}){9999}){9999})\"}",
                "{\"type\":\"string\",\"minLength\":1000000}",
                "[".repeat(100_000))) {
            GrammarProbe.probe(hostile);
        }
    }
}
