package dev.panamoe.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.gguf.Metadata;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// One token per byte: what appears when.
class TokenStreamTest {
    private static final int CONTROL = 256;

    private final Tokenizer tokenizer = Tokenizer.of(Metadata.of(
            "test",
            Map.of(
                    "tokenizer.ggml.model",
                    "gemma4",
                    "tokenizer.ggml.tokens",
                    IntStream.rangeClosed(0, 256)
                            .mapToObj(b -> b == CONTROL ? "<end>" : String.format("<0x%02X>", b))
                            .toList(),
                    "tokenizer.ggml.token_type",
                    IntStream.rangeClosed(0, 256).map(b -> b == CONTROL ? 3 : 6).toArray(),
                    "tokenizer.ggml.merges",
                    List.of())));
    private final TokenStream stream = tokenizer.stream(false);

    private List<String> append(int... bytes) {
        return IntStream.of(bytes).mapToObj(stream::append).toList();
    }

    @Test
    void aCharacterAppearsWithItsLastByte() {
        assertThat(append(0xF0, 0x9F, 0x99, 0x82, 'a')).containsExactly("", "", "", "🙂", "a");
        assertThat(stream.finish()).isEmpty();
    }

    @Test
    void whatCannotBecomeACharacterAppearsAtOnce() {
        assertThat(append(0xFF, 0x80, 0xC0, 0xF5)).containsExactly("\uFFFD", "\uFFFD", "\uFFFD", "\uFFFD");
        assertThat(append(0xE2, 'a')).containsExactly("", "\uFFFDa");
        assertThat(append(0xE0, 0x80)).containsExactly("", "\uFFFD\uFFFD"); // overlong
        assertThat(append(0xED, 0xA0)).containsExactly("", "\uFFFD\uFFFD"); // a surrogate
        assertThat(append(0xF0, 0x9F, 0xF0, 0x9F, 0x99, 0x82)).containsExactly("", "", "\uFFFD", "", "", "🙂");
    }

    @Test
    void finishGivesWhatWasHeldBackAndBeginsAnew() {
        assertThat(append('a', 0xF0, 0x9F)).containsExactly("a", "", "");
        assertThat(stream.finish()).isEqualTo("\uFFFD");
        assertThat(stream.finish()).isEmpty();
        assertThat(append(0x99, 'b')).containsExactly("\uFFFD", "b");
    }

    @Test
    void controlTokensAreNamedOnlyWhenAsked() {
        assertThat(append(0xC3, CONTROL, 0xA9)).containsExactly("", "", "é");
        TokenStream naming = tokenizer.stream(true);
        assertThat(naming.append('a') + naming.append(CONTROL) + naming.finish())
                .isEqualTo("a<end>");
    }
}
