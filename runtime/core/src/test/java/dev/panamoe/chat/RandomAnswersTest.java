package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The short fuzz run of every build: fixed seeds, so that a failure can be repeated. `AnswerFuzzTest` is the long one.
class RandomAnswersTest {
    private static final int LONG = 300_000;
    private static final String PLAIN = "{}[]\":, <>\\a1";

    @Test
    @Timeout(60)
    void areTakenApart() {
        Random random = new Random(3);
        int withCalls = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[3 + random.nextInt(40)];
            random.nextBytes(bytes);
            for (int at = 3; at < bytes.length; at++) {
                // Few plain characters, many marks and words.
                bytes[at] = (byte)
                        switch (random.nextInt(4)) {
                            case 0 -> PLAIN.charAt(random.nextInt(PLAIN.length()));
                            case 1 -> random.nextInt(0x20);
                            default -> 0x80 + random.nextInt(0x80);
                        };
            }
            try {
                withCalls += AnswerProbe.probe(bytes) ? 1 : 0;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("answer " + i + ": " + HexFormat.of().formatHex(bytes), e);
            }
        }
        assertThat(withCalls).as("answers without calls test little").isGreaterThan(100);
    }

    /// A confused model goes on until its budget ends: the time must grow with the text, not with its square.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "0 ⟦<|tool_call>⟧call:f{a:⟦<|\"|>⟧ xy",
                "0 ⟦<|tool_call>⟧call:f{a: [",
                "0 ⟦<|tool_call>⟧call:f{ ⟦<|\"|>⟧",
                "0 ⟦<|channel>⟧ \n",
                "1 ⟦<tool_call>⟧{\"name\":\"f\",\"arguments\":{\"a\":\" <a",
                "1 ⟦<tool_call>⟧{\"name\":\"f\",\"arguments\":{\"a\":1 1",
                "1 ⟦<tool_call>⟧<function=f> <parameter=",
                "1 ⟦<tool_call>⟧<function=f> <parameter=a>",
                "1 <function=weather> </",
                "1 x ⟦<tool_call>⟧",
                "1 x \n",
                "2 ⟦<｜tool▁call▁begin｜>⟧f ⟦<｜tool▁sep｜>⟧",
                "3 {\"name\":\"weather\",\"parameters\": {\"a\":",
                "3 x {",
                "4 ⟦<|channel|>⟧commentary to=functions.f⟦<|message|>⟧ {",
                "4 ⟦<|channel|>⟧ ab"
            })
    @Timeout(60)
    void haveNoEnd(String begin) {
        WordTokenizer tokenizer = List.of(
                        ToolCallsTest.GEMMA,
                        ToolCallsTest.QWEN,
                        ToolCallsTest.DEEPSEEK,
                        ToolCallsTest.LLAMA,
                        ToolCallsTest.HARMONY)
                .get(begin.charAt(0) - '0');
        int space = begin.indexOf(' ', 2);
        List<Answers.Piece> pieces = new ArrayList<>(Answers.pieces(tokenizer, begin.substring(2, space)));
        List<Answers.Piece> repeated = Answers.pieces(tokenizer, begin.substring(space + 1));
        for (int i = 0; i < LONG; i++) {
            pieces.addAll(repeated);
        }
        var parsed = Answers.run(tokenizer, List.of(ToolCallsTest.WEATHER), "", pieces);
        assertThat(parsed.reasoning().length() + parsed.content().length()).isLessThanOrEqualTo(begin.length() * LONG);
    }
}
