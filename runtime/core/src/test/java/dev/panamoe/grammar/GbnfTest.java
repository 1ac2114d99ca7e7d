package dev.panamoe.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GbnfTest {
    private static boolean matches(String grammar, String text) {
        return Gbnf.parse(grammar, "g").matches(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Arguments grammar(String grammar, List<String> matching, List<String> others) {
        return Arguments.of(grammar, matching, others);
    }

    static List<Arguments> grammars() {
        return List.of(
                grammar("root ::= \"abc\"", List.of("abc"), List.of("", "ab", "abcd", "abd")),
                grammar("root ::= \"\"", List.of(""), List.of("a")),
                grammar("root ::= \"a\" | \"bc\" | \"\"", List.of("a", "bc", ""), List.of("b", "abc")),
                grammar("root ::= \"a\" |", List.of("a", ""), List.of("aa")),
                grammar("root ::= \"a\"*", List.of("", "a", "aaaa"), List.of("b", "ab")),
                grammar("root ::= \"a\"+", List.of("a", "aaaa"), List.of("", "b")),
                grammar("root ::= \"ab\"?", List.of("", "ab"), List.of("a", "abab")),
                grammar("root ::= [ab]{3}", List.of("aba", "bbb"), List.of("ab", "abab", "")),
                grammar("root ::= [ab]{2,}", List.of("ab", "aaaaa"), List.of("a", "")),
                grammar("root ::= [ab]{1,3}", List.of("a", "ab", "aba"), List.of("", "abab")),
                grammar("root ::= [ab]{ , 2 }", List.of("", "a", "ab"), List.of("aba")),
                grammar("root ::= \"x\" [ab]{0} \"y\"", List.of("xy"), List.of("xay")),
                grammar("root ::= (\"a\" | \"b\" \"c\")+ \"d\"", List.of("ad", "abcad"), List.of("d", "abd")),
                grammar("root ::= (\"a\"? \"b\"?)* \"c\"", List.of("c", "abbac"), List.of("", "ab")),
                grammar("root ::= ((\"a\"*)*)+ \"c\"", List.of("c", "aac"), List.of("", "ca")),
                grammar("root ::= [a-cx]", List.of("a", "b", "c", "x"), List.of("d", "-", "ab")),
                grammar("root ::= [a-]", List.of("a", "-"), List.of("b", "]")),
                grammar("root ::= [-a]", List.of("a", "-"), List.of("b")),
                grammar("root ::= [^a-c\\n]", List.of("d", "é", "漢", "😀", "\r"), List.of("a", "b", "\n", "", "dd")),
                grammar("root ::= [\\]\\[\\\\\"^]+", List.of("[]\\\"^"), List.of("a")),
                grammar("root ::= .", List.of("a", "\n", "é", "漢", "😀", "\0"), List.of("", "ab")),
                grammar(
                        "root ::= [à-ü漢\\U0001F600-\\U0001F610]",
                        List.of("é", "漢", "😀", "😐"),
                        List.of("e", "字", "😑")),
                grammar("root ::= [\\u0000-\\U0010FFFF]", List.of("\0", "\uD7FF", "\uE000", "😀"), List.of("")),
                grammar(
                        "root ::= \"\\x41\\u00e9\\U0001F600\\t\\n\\r\\\\\\\"\\[\\]\"",
                        List.of("Aé😀\t\n\r\\\"[]"),
                        List.of("A")),
                grammar("root ::= a-1 b_2\na-1 ::= \"x\"\nb_2 ::= \"y\"", List.of("xy"), List.of("x")),
                grammar(
                        "# first\n\nroot  ::=  # here\r\n  \"a\" # and\r\n  | \"b\" |\n\n \"c\"#\n",
                        List.of("a", "b", "c"),
                        List.of("ab")),
                grammar("root ::= ( # in a group\n \"a\"\n \"b\" )\n", List.of("ab"), List.of("a")),
                grammar("root ::= \"#\" [#]", List.of("##"), List.of("#")),
                grammar("root ::= \"(\" root \")\" | \"x\"", List.of("x", "((x))"), List.of("(x", "x)", "()")),
                grammar(
                        "root ::= \"(\" root \")\" root |",
                        List.of("", "()", "(())()", "()()()"),
                        List.of("(", ")(", "(()")),
                grammar("root ::= \"a\" root | \"a\"", List.of("a", "aaaa"), List.of("", "b")),
                grammar(
                        "root ::= a b\na ::= \"x\"?\nb ::= a \"y\" | a",
                        List.of("", "x", "xx", "y", "xy", "xxy"),
                        List.of("yy", "xyx")),
                grammar(
                        "root ::= \"x\" root \"a\" | \"x\" root \"b\" | \"x\"",
                        List.of("x", "xxa", "xxxab"),
                        List.of("xa", "xx", "xxab")),
                grammar(
                        "root ::= [a-z]+ | \"if\" \" \" root",
                        List.of("if", "iffy", "if if"),
                        List.of("if ", "if  if")),
                grammar(
                        "root ::= t (\"-\" t)*\nt ::= n | \"(\" root \")\"\nn ::= [0-9]+",
                        List.of("1-(2-33)-4"),
                        List.of("1-", "(1", "1--2")));
    }

    @ParameterizedTest
    @MethodSource("grammars")
    void matches(String grammar, List<String> matching, List<String> others) {
        assertThat(matching).allMatch(t -> matches(grammar, t));
        assertThat(others).noneMatch(t -> matches(grammar, t));
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.CsvSource(delimiter = '§', quoteCharacter = '\0', textBlock = """
            root = "a"                         § g: line 1, column 6: expected ::= behind the name of the rule, found =
            root ::= "a                        § g: line 1, column 12: expected " at the end of the text, found the end
            root ::= [a                        § g: line 1, column 12: expected ] at the end of the class, found the end
            root ::= ("a"                      § g: line 1, column 14: expected ) at the end of the group, found the end
            root ::= "a")                      § g: line 1, column 13: expected an item, | or the end of the line, found )
            root ::= x                         § g: line 1, column 10: expected the name of a rule, found x, which is not defined
            start ::= "a"                      § g: the grammar has no rule named root
            root ::= *                         § g: line 1, column 10: expected an item
            root ::= "a"**                     § g: line 1, column 13: two repetitions of one item
            root ::= "a"{2                     § g: line 1, column 15: expected } behind the counts, found the end
            root ::= "a"{}                     § g: line 1, column 14: expected a count, found }
            root ::= "a"{3,2}                  § g: line 1, column 13: expected counts upwards, found 3 and 2
            root ::= "a"{2000000000}           § g: line 1, column 14: expected a count of at most 1000000
            root ::= "\\q"                      § g: line 1, column 12: expected one of n t r
            root ::= "\\x4"                     § g: line 1, column 14: expected 2 hexadecimal digits, found "
            root ::= "\\U00110000"              § g: line 1, column 13: expected a character up to U+10FFFF
            root ::= "\\ud800"                  § g: line 1, column 11: expected a character, found half a surrogate pair
            root ::= [b-a]                     § g: line 1, column 11: expected a range upwards
            root ::= []                        § g: line 1, column 10: expected a class with characters, found an empty one
            root ::= [^\\x00-\\U0010FFFF]        § g: line 1, column 10: expected a class with characters
            root ::= [\\ud800-\\udfff]           § g: line 1, column 10: expected a class with characters
            root ::= root "a" | "a"            § g: rule "root" is left-recursive
            root ::= "a"? root | "b"           § g: rule "root" is left-recursive
            root ::= "a" root                  § g: rule "root" never ends
            root ::= "a"{1000000}              § g: the grammar is too large
            root ::= (""{1000000}){1000000}    § g: the grammar is too large
            root ::= (("a"{9999}){9999}){9999} § g: the grammar is too large
            """)
    void refuses(String grammar, String message) {
        assertThatThrownBy(() -> Gbnf.parse(grammar.strip(), "g"))
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void refusesWithTheLine() {
        assertThatThrownBy(() -> Gbnf.parse("root ::= a\n# x\na ::= \"é\" )\n", "rules.gbnf"))
                .hasMessage("rules.gbnf: line 3, column 11: expected an item, | or the end of the line, found )");
        assertThatThrownBy(() -> Gbnf.parse("root ::= \"a\"\nroot ::= \"b\"", "g"))
                .hasMessage("g: line 2, column 1: rule root is defined twice");
        assertThatThrownBy(() -> Gbnf.parse("root ::= a\na ::= b | \"x\"\nb ::= c\nc ::= b \"x\" | \"y\"", "g"))
                .hasMessageContaining("is left-recursive");
        assertThatThrownBy(() -> Gbnf.parse("", "g")).hasMessageContaining("no rule named root");
        assertThatThrownBy(() -> Gbnf.parse("root ::= " + "(".repeat(101), "g")).hasMessageContaining("nested");
        assertThatThrownBy(() -> Gbnf.parse("#".repeat(2_000_000), "g")).hasMessageContaining("at most 1048576");
    }

    @Test
    void onlyWellFormedTextMatches() {
        Grammar any = Gbnf.parse("root ::= .*", "g");
        for (String bytes :
                List.of("C080", "C1BF", "E08080", "EDA080", "F0808080", "F4908080", "80", "FF", "E282", "C3")) {
            assertThat(any.matches(HexFormat.of().parseHex(bytes))).as(bytes).isFalse();
        }
        for (int c = 0; c <= Character.MAX_CODE_POINT; c += c < 0x900 ? 1 : 97) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                assertThat(any.matches(Character.toString(c).getBytes(StandardCharsets.UTF_8)))
                        .as("U+%X", c)
                        .isTrue();
            }
        }
    }

    /// Classes against the definition, for ranges that begin and end anywhere.
    @Test
    void rangesOfCharacters() {
        var random = new java.util.Random(5);
        int[] edges = {
            0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0x10FFFF
        };
        for (int i = 0; i < 300; i++) {
            int a = edge(random, edges);
            int b = edge(random, edges);
            int low = Math.min(a, b);
            int high = Math.max(a, b);
            Grammar range = Gbnf.parse(String.format("root ::= [\\U%08x-\\U%08x]", low, high), "g");
            for (int j = 0; j < 40; j++) {
                int c = j < 4 ? new int[] {low, high, low - 1, high + 1}[j] : edge(random, edges);
                if (c >= 0 && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF)) {
                    assertThat(range.matches(Character.toString(c).getBytes(StandardCharsets.UTF_8)))
                            .as("U+%X in U+%X-U+%X", c, low, high)
                            .isEqualTo(low <= c && c <= high);
                }
            }
        }
    }

    private static int edge(java.util.Random random, int[] edges) {
        int c = random.nextBoolean()
                ? edges[random.nextInt(edges.length)] + random.nextInt(5) - 2
                : random.nextInt(0x110000);
        c = Math.clamp(c, 0, 0x10FFFF);
        return c >= 0xD800 && c <= 0xDFFF ? 0xE000 : c;
    }

    /// What has exponentially many readings, or nests as deep as the text is long.
    @Test
    @Timeout(60)
    void ambiguityAndDepthAreBorne() {
        assertThat(matches(
                        "root ::= \"x\" root \"a\" | \"x\" root \"b\" | \"x\"",
                        "x".repeat(2000) + "ab".repeat(999) + "a"))
                .isTrue();
        assertThat(matches("root ::= (\"a\"* \"a\"*)* \"b\"", "a".repeat(5000) + "b"))
                .isTrue();
        assertThat(matches("root ::= \"(\" root \")\" | \"x\"", "(".repeat(20_000) + "x" + ")".repeat(20_000)))
                .isTrue();
        var chain = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 500; i++) {
            chain.append("r" + i + " ::= r" + (i + 1) + " \"a\" | r" + (i + 1) + " \"b\"\n");
        }
        chain.append("r500 ::= \"x\"");
        assertThat(matches(chain.toString(), "x" + "ab".repeat(250))).isTrue();
        assertThat(matches("root ::= s\ns ::= \"x\" s s | \"x\" s s s | \"x\"", "x".repeat(100)))
                .isTrue();
        assertThatThrownBy(() -> matches("root ::= \"a\"" + " | \"a\"".repeat(40_000), "a"))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("less ambiguous");
    }
}
