package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The hand-written splitters against the regular expressions that define them, run by the JDK's engine.
class SplitterTest {
    private static final String CASED =
            "A-Za-z\\x{00B5}\\x{00C0}-\\x{00D6}\\x{00D8}-\\x{00F6}\\x{00F8}-\\x{01BA}\\x{01BC}-\\x{01BF}"
                    + "\\x{01C4}-\\x{0293}\\x{0295}-\\x{02AF}\\x{0370}-\\x{0373}\\x{0376}-\\x{0377}\\x{037B}-"
                    + "\\x{037D}\\x{037F}\\x{0386}\\x{0388}-\\x{038A}\\x{038C}\\x{038E}-\\x{03A1}\\x{03A3}-\\x{03F5}"
                    + "\\x{03F7}-\\x{0481}\\x{048A}-\\x{052F}\\x{0531}-\\x{0556}\\x{10A0}-\\x{10C5}\\x{13A0}-"
                    + "\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}"
                    + "\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}\\x{1F20}-"
                    + "\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}"
                    + "\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}"
                    + "\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-"
                    + "\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}"
                    + "\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}"
                    + "\\x{214E}\\x{2183}-\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}"
                    + "\\x{2CF2}-\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-"
                    + "\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}"
                    + "\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-"
                    + "\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}";

    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String CONTRACTION = "(?iu:'s|'t|'re|'ve|'m|'ll|'d)";

    private static String llama3(String digits) {
        return CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + digits
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    private static String gpt4o(String contraction, String digits) {
        String before = "[^\\r\\n\\p{L}\\p{N}]?";
        String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
        String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
        return before + upper + "*" + lower + "+" + contraction + "|" + before + upper + "+" + lower + "*" + contraction
                + "|\\p{N}" + digits + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    /// `\s`, `\S` and `$` are written out where the JDK's engine means something else by them.
    private static final Map<String, List<String>> EXPRESSIONS = Map.of(
            "gpt-2",
            List.of(GPT2),
            "default",
            List.of("[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),
            "starcoder",
            List.of("\\p{N}", GPT2),
            "llama-bpe",
            List.of(llama3("{1,3}")),
            "qwen2",
            List.of(llama3("")),
            "gpt-4o",
            List.of(gpt4o(CONTRACTION + "?", "{1,3}")),
            "tekken",
            List.of(gpt4o("", "")),
            "deepseek-coder",
            List.of(
                    "[\\r\\n]",
                    "\\s?\\p{L}+",
                    "\\s?\\p{P}+",
                    "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+",
                    "\\p{N}"),
            "deepseek-v3",
            List.of(
                    "\\p{N}{1,3}",
                    "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+",
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                            + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
            "deepseek-llm",
            List.of(
                    "[\\r\\n]",
                    "\\s?[" + CASED + "]+",
                    "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
                    "\\s+\\z",
                    "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+",
                    "\\p{N}+"));

    static Stream<String> names() {
        return EXPRESSIONS.keySet().stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("names")
    void randomTexts(String name) {
        List<Pattern> patterns = patterns(name);
        Random random = new Random(7);
        for (int i = 0; i < 10_000; i++) {
            String text = RandomText.next(random, 24);
            assertThat(pieces(name, text)).as(RandomText.show(text)).isEqualTo(expected(patterns, text));
        }
    }

    /// Every code point of the planes that have characters, between letters, between spaces and after a digit.
    @ParameterizedTest
    @MethodSource("names")
    void everyCodePoint(String name) {
        List<Pattern> patterns = patterns(name);
        for (int block = 0; block < 0x40000; block += 0x100) {
            StringBuilder text = new StringBuilder();
            for (int c = block; c < block + 0x100; c++) {
                text.append(" a")
                        .appendCodePoint(c)
                        .append("b ")
                        .appendCodePoint(c)
                        .append(" 1")
                        .appendCodePoint(c);
            }
            if (block < Character.MIN_SURROGATE || block > Character.MAX_SURROGATE) {
                assertThat(pieces(name, text.toString())).isEqualTo(expected(patterns, text.toString()));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "deepseek-r1, deepseek-v3",
        "llama3, llama-bpe",
        "llama-v3, llama-bpe",
        "deepseek-r1-qwen, qwen2",
        "llama4, gpt-4o",
        "smollm, starcoder",
    })
    void otherNamesOfTheSame(String name, String same) {
        assertThat(PreTokenizers.find(name)).isPresent().isEqualTo(PreTokenizers.find(same));
    }

    @Test
    void smaugCutsAsLlama3ButAppliesTheMerges() {
        PreTokenizer smaug = PreTokenizers.find("smaug-bpe").orElseThrow();
        PreTokenizer llama3 = PreTokenizers.find("llama-bpe").orElseThrow();
        assertThat(smaug.splitter()).isEqualTo(llama3.splitter());
        assertThat(List.of(smaug.ignoreMerges(), smaug.addBos())).containsExactly(false, false);
        assertThat(List.of(llama3.ignoreMerges(), llama3.addBos())).containsExactly(true, true);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "HTMLParser, HTMLParser",
                "中ABC, 中|ABC",
                "it'S It'ſa, it'S| It'ſ|a",
                "a/b//\tc, a|/b|//|\tc",
            })
    void casesOfGpt4o(String text, String expected) {
        assertThat(pieces("gpt-4o", text)).containsExactly(expected.split("\\|"));
    }

    /// Accented letters part words here: the third split has a range that holds the ASCII letters.
    @Test
    void deepSeekLlmPartsAccentedWords() {
        assertThat(pieces("deepseek-llm", "a café 12")).containsExactly("a", " caf", "é", " ", "12");
    }

    /// The list was made from the letters with case, before later versions of Unicode added to them.
    @Test
    void deepSeekLlmListsLettersWithCase() {
        Pattern listed = Pattern.compile("[" + CASED + "]");
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (listed.matcher(Character.toString(c)).matches()) {
                assertThat(Character.getType(c))
                        .as("%04X", c)
                        .isIn((int) Character.UPPERCASE_LETTER, (int) Character.LOWERCASE_LETTER, (int)
                                Character.TITLECASE_LETTER);
            }
        }
    }

    private static List<String> pieces(String name, String text) {
        int[] codePoints = text.codePoints().toArray();
        List<String> pieces = new ArrayList<>();
        PreTokenizers.find(name)
                .orElseThrow()
                .splitter()
                .split(
                        codePoints,
                        0,
                        codePoints.length,
                        (from, to) -> pieces.add(new String(codePoints, from, to - from)));
        return pieces;
    }

    private static List<String> expected(List<Pattern> patterns, String text) {
        List<String> pieces = text.isEmpty() ? List.of() : List.of(text);
        for (Pattern pattern : patterns) {
            pieces = pieces.stream()
                    .flatMap(piece -> cut(pattern, piece).stream())
                    .toList();
        }
        return pieces;
    }

    private static List<Pattern> patterns(String name) {
        return EXPRESSIONS.getOrDefault(name, List.of()).stream()
                .map(expression -> Pattern.compile(
                        expression.replace("\\s", "\\p{IsWhite_Space}").replace("\\S", "\\P{IsWhite_Space}")))
                .toList();
    }

    private static List<String> cut(Pattern pattern, String piece) {
        List<String> parts = new ArrayList<>();
        Matcher matcher = pattern.matcher(piece);
        int end = 0;
        while (matcher.find()) {
            if (matcher.start() > end) {
                parts.add(piece.substring(end, matcher.start()));
            }
            parts.add(matcher.group());
            end = matcher.end();
        }
        if (end < piece.length()) {
            parts.add(piece.substring(end));
        }
        return parts;
    }
}
