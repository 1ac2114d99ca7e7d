package dev.panamoe.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Templates that would hang, fill the memory or overflow the stack end with a clear error, soon.
class HostileTemplatesTest {
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);
    /// Ninety lists, each holding the one before twice: 2^90 leaves.
    private static final String DOUBLED = doubled("[ns.x, ns.x]");

    private static String doubled(String pair) {
        return "{% set ns = namespace(x=1) %}{% for i in range(90) %}{% set ns.x = " + pair + " %}{% endfor %}";
    }

    private static String nested(String open, String inside, String close, int times) {
        return open.repeat(times) + inside + close.repeat(times);
    }

    private static final String LONG = "{% set s = 'a' * 8000000 %}";

    static List<String> bombs() {
        return List.of(
                DOUBLED + DOUBLED.replace("ns", "nt") + "{{ ns.x == nt.x }}",
                DOUBLED + "{{ ns.x }}",
                DOUBLED + "{{ ns.x|tojson }}",
                DOUBLED + "{{ ns.x|tojson(indent=4) }}",
                DOUBLED + DOUBLED.replace("ns", "nt") + "{{ ns.x < nt.x }}",
                DOUBLED + DOUBLED.replace("ns", "nt") + "{{ ns.x in [nt.x] }}",
                doubled("(ns.x, ns.x)") + "{{ {ns.x: 1} }}",
                doubled("{'a': ns.x, 'b': ns.x}") + "{{ ns.x|string|length }}",
                doubled("ns.x + ns.x").replace("x=1", "x=[1]") + "x",
                doubled("ns.x ~ ns.x") + "x",
                doubled("ns.x * ns.x").replace("x=1", "x=99"),
                "{{ 10 ** (10 ** 10) }}",
                "{{ 2 ** 1000000 }}",
                "{{ ('9' * 5000000)|int }}",
                "{{ " + "9".repeat(100_000) + " }}",
                "{{ '1e999999999'|int }}{{ range(10 ** 9) }}",
                "{{ range(100000)|list * 1000 }}",
                "{{ 'x' * 10 ** 12 }}",
                "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
                "{% for i in range(100000) %}{{ 'x' * 10000 }}{% endfor %}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
                "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = ns.l + [i] %}{% endfor %}",
                nested("(", "1", ")", 100_000).transform(s -> "{{ " + s + " }}"),
                nested("[", "", "]", 5_000).transform(s -> "{{ " + s + " }}"),
                "{{ " + "-".repeat(100_000) + "1 }}",
                "{{ " + "not ".repeat(100_000) + "1 }}",
                "{{ 1" + " + 1".repeat(100_000) + " }}",
                "{{ x" + "|string".repeat(100_000) + " }}",
                "{{ x" + ".a".repeat(100_000) + " }}",
                nested("{% if 1 %}", "", "{% endif %}", 100_000),
                nested("{% for a in [1] %}", "", "{% endfor %}", 5_000),
                "{% set " + nested("(", "a", ")", 100_000) + " = 1 %}",
                LONG + "{% for i in range(100000) %}{% if 'b' in s %}{% endif %}{% endfor %}",
                LONG + "{{ s.find('a' * 4000000 ~ 'b') }}{% for i in range(100000) %}{{ s[i] }}{% endfor %}",
                LONG + "{{ s.replace('a', s) }}",
                LONG + "{{ s|list }}",
                LONG + "{{ s.split('a') }}",
                LONG + "{% for i in range(100000) %}{% if s == s ~ '' %}{% endif %}{% endfor %}",
                LONG + "{{ (s ~ '%') % 1 }}{% for i in range(100000) %}{{ s|upper|length }}{% endfor %}",
                "{{ '%999999999d' % 1 }}",
                "{{ '%.999999999f' % 1 }}",
                "{{ '{:999999999}'.format(1) }}",
                "{{ 'x'.ljust(10 ** 11) }}",
                "{{ 'x'|center(10 ** 11) }}",
                "{{ 'x\n'|indent(10 ** 11) }}",
                "{{ [1]|tojson(indent=10 ** 11) }}",
                "{{ [1,2]|batch(10 ** 9, 0)|list }}",
                "{{ [1,2]|batch(10 ** 11, 0)|list }}",
                "{{ raise_exception('x' * 10 ** 9) }}",
                "{% set ns = namespace(s='') %}{% for i in range(100000) %}{% set ns.s = ns.s ~ 'xxxxxxxxxx' %}{% endfor %}");
    }

    @ParameterizedTest
    @MethodSource("bombs")
    void endsWithAClearError(String source) {
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertThatThrownBy(() -> ChatTemplate.parse(source).render(Map.of(), NOW))
                        .isInstanceOf(TemplateException.class)
                        .message()
                        .startsWith("chat template: ")
                        .hasSizeLessThan(20_000));
    }

    @Test
    void widthsFarBelowZeroAreNone() {
        assertThat(ChatTemplate.parse("{{ 'x'|center(w) }}{{ 'x'.ljust(w) }}{{ 'x'.rjust(w) }}{{ 'x'.zfill(w) }}")
                        .render(Map.of("w", -(1L << 40)), NOW))
                .isEqualTo("xxxx");
    }

    @Test
    void failsAtTheSamePlaceEveryTime() {
        String source = "{% set r = range(100000)|list %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}";
        String first = message(source);
        assertThat(first).contains("steps");
        assertThat(message(source)).isEqualTo(first);
    }

    private static String message(String source) {
        try {
            return ChatTemplate.parse(source).render(Map.of(), NOW);
        } catch (TemplateException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void megabyteMessagesAreNoAttack() {
        String text = "All work and no play. ".repeat(50_000);
        String source = "{% for m in messages %}{{ m.content|trim }}{{ m.content.split('</think>')[-1].lstrip('\\n') }}"
                + "{% endfor %}";
        var messages = List.of(Map.of("content", text), Map.of("content", text));
        assertThat(ChatTemplate.parse(source).render(Map.of("messages", messages), NOW))
                .hasSizeGreaterThan(4_000_000);
    }

    @Test
    void reachesNothingButItsVariables() {
        for (String source : List.of(
                "{{ ''.__class__.__mro__ }}",
                "{{ x.getClass() }}",
                "{{ 'a'.getBytes() }}",
                "{{ range.__globals__.os }}",
                "{{ namespace.__init__.__globals__ }}",
                "{% include 'x' %}",
                "{% import 'x' as y %}")) {
            assertThatThrownBy(() -> ChatTemplate.parse(source).render(Map.of("x", 1), NOW))
                    .isInstanceOf(TemplateException.class);
        }
    }

    @Test
    void inputThatHoldsItselfIsRefused() {
        var list = new ArrayList<Object>();
        list.add(list);
        assertThatThrownBy(() -> ChatTemplate.parse("x").render(Map.of("list", list), NOW))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("deep");
    }

    /// Pieces of templates put together at random give text or a [TemplateException], nothing else.
    @Test
    void nonsenseGivesAnErrorAndNothingWorse() {
        String[] pieces = {
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{%- ",
            " -%}",
            "if ",
            "else",
            "elif ",
            "endif",
            "for x in ",
            "endfor",
            "set x = ",
            "set ",
            "endset",
            "macro m(a, b=1)",
            "endmacro",
            "call m()",
            "endcall",
            "filter upper",
            "endfilter",
            "raw",
            "endraw",
            "with a=1",
            "endwith",
            "break",
            "continue",
            "x",
            "a.b",
            "['k']",
            "[1:2]",
            "[::-1]",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "1",
            "2.5",
            "'s'",
            "\"",
            "'",
            "\\",
            ", ",
            ": ",
            " | ",
            "|length",
            "|tojson",
            "|join(',')",
            "|map('upper')",
            "|selectattr('a', 'in', 1)",
            "|sort",
            "|default('d')",
            " is defined",
            " is ",
            " not ",
            " in ",
            " and ",
            " or ",
            " + ",
            " - ",
            " ** ",
            " // ",
            " % ",
            " ~ ",
            " == ",
            " < ",
            "m(1, b=2)",
            "loop.index",
            "loop",
            "range(3)",
            "namespace(a=1)",
            "dict(a=1)",
            ".items()",
            ".split('a')",
            ".format(1)",
            "'%s %d'",
            "'{:>{}}'",
            "none",
            "true",
            "{# ",
            " #}",
            "\n",
            " ",
            "é🙂",
            "\ud800",
            "=",
            "*",
            "**",
            ";",
            "$",
            "x.y = 1",
            "caller()",
            "|round(1, 'ceil')",
            "|int(base=40)",
            "|indent(x)",
            "|batch(2)",
            "|groupby('a')",
            "|replace('', 'y')",
            "|first"
        };
        var random = new Random(42);
        for (int round = 0; round < 20_000; round++) {
            var source = new StringBuilder(random.nextInt(3) == 0 ? "" : "{{ ");
            boolean wraps = !source.isEmpty();
            for (int i = random.nextInt(14); i >= 0; i--) {
                source.append(pieces[random.nextInt(pieces.length)]);
            }
            source.append(wraps ? " }}" : "");
            try {
                ChatTemplate.parse(source.toString())
                        .render(
                                Map.of("x", List.of(Map.of("a", 1, "k", "v"), 2, "three"), "a", Map.of("b", "text")),
                                NOW);
            } catch (TemplateException expected) {
                assertThat(expected.getMessage()).startsWith("chat template: ");
            } catch (RuntimeException e) {
                fail("template: " + source, e);
            }
        }
    }
}
