package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    @Test
    void holdsBackWhatMayBeginAStop() {
        var stops = new StopStrings(List.of("END", "\n\n"));
        assertThat(stops.append("some E")).isEqualTo(new StopStrings.Result("some ", Optional.empty()));
        assertThat(stops.append("N")).isEqualTo(new StopStrings.Result("", Optional.empty()));
        assertThat(stops.append("ough\n")).isEqualTo(new StopStrings.Result("ENough", Optional.empty()));
        assertThat(stops.append("\nmore")).isEqualTo(new StopStrings.Result("", Optional.of("\n\n")));
        assertThat(stops.append("after")).isEqualTo(new StopStrings.Result("", Optional.empty()));
        assertThat(stops.finish()).isEmpty();
    }

    @Test
    void givesBackWhatWasHeldAtTheEnd() {
        var stops = new StopStrings(List.of("</s>"));
        assertThat(stops.append("x</").text()).isEqualTo("x");
        assertThat(stops.finish()).isEqualTo("</");
    }

    @Test
    void theMatchCompleteFirstWins() {
        assertThat(new StopStrings(List.of("abcd", "bc")).append("xabcd"))
                .isEqualTo(new StopStrings.Result("xa", Optional.of("bc")));
        assertThat(new StopStrings(List.of("c", "abc")).append("xabc"))
                .isEqualTo(new StopStrings.Result("x", Optional.of("abc")));
    }

    @Test
    void doesNotDependOnThePieces() {
        var random = new Random(1);
        for (int round = 0; round < 500; round++) {
            var text = new StringBuilder();
            for (int i = 0; i < 30; i++) {
                text.append("ab🙂"
                        .codePoints()
                        .skip(random.nextInt(3))
                        .mapToObj(Character::toString)
                        .findFirst()
                        .orElseThrow());
            }
            var list = List.of("aab🙂", "abab", "🙂🙂🙂", "bba");
            var whole = new StopStrings(list);
            var once = whole.append(text.toString());
            String expected = once.text() + whole.finish();
            var stops = new StopStrings(list);
            var shown = new StringBuilder();
            Optional<String> stop = Optional.empty();
            int[] codePoints = text.codePoints().toArray();
            for (int c : codePoints) {
                var result = stops.append(Character.toString(c));
                shown.append(result.text());
                stop = stop.or(result::stop);
            }
            shown.append(stops.finish());
            assertThat(shown).hasToString(expected);
            assertThat(stop).isEqualTo(once.stop());
        }
    }

    @Test
    void withoutStopsEverythingPasses() {
        assertThat(new StopStrings(List.of()).append("abc").text()).isEqualTo("abc");
        assertThatThrownBy(() -> new StopStrings(List.of(""))).isInstanceOf(PanamoeException.class);
    }
}
