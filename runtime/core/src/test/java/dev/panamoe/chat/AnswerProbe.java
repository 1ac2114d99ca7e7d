package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.chat.Answers.Parsed;
import dev.panamoe.chat.Answers.Piece;
import java.util.ArrayList;
import java.util.List;

/// Makes an answer of any bytes and checks what holds for every answer.
final class AnswerProbe {
    private static final WordTokenizer TEXT_MARKS =
            Answers.vocabulary(List.of("<eos>"), List.of("<tool_call>", "</tool_call>"));

    private static final List<WordTokenizer> VOCABULARIES = List.of(
            ToolCallsTest.GEMMA,
            ToolCallsTest.QWEN,
            ToolCallsTest.DEEPSEEK,
            ToolCallsTest.LLAMA,
            ToolCallsTest.HARMONY,
            TEXT_MARKS);

    private static final List<String> WORDS = List.of(
            "{\"name\":\"weather\",\"parameters\":{",
            "{\"name\": \"f\", \"arguments\": {\"a\": 1}}",
            "call:f{a:",
            "<function=weather>",
            "<parameter=city>",
            "</parameter>",
            "</function>",
            "<think>",
            "</think>",
            "thought\n",
            "function",
            "```json\n",
            "assistant",
            "analysis",
            "final",
            "commentary to=functions.f ",
            "null",
            "\\u00e9",
            "1e999",
            "0e90000000000000",
            "\n",
            "🙂");

    private AnswerProbe() {}

    /// Whether there was a call in it.
    static boolean probe(byte[] bytes) {
        WordTokenizer tokenizer = VOCABULARIES.get(at(bytes, 0) % VOCABULARIES.size());
        List<Tool> tools = at(bytes, 1) % 2 == 0 ? List.of(ToolCallsTest.WEATHER) : List.of();
        int marks = tokenizer.control().size() + tokenizer.userDefined().size();
        int text = tokenizer.ids("text")[0];
        List<Piece> pieces = new ArrayList<>();
        long length = 0;
        for (int i = 3; i < bytes.length; i++) {
            int b = at(bytes, i);
            if (b < 0x20) {
                pieces.add(new Piece(b % marks, tokenizer.isControl(b % marks) ? "" : tokenizer.token(b % marks)));
                length += tokenizer.token(b % marks).length() + 1;
            } else {
                String word = b < 0x80 ? Character.toString(b) : WORDS.get(b % WORDS.size());
                pieces.add(new Piece(text, word));
                length += word.length();
            }
        }
        String prompt = tokenizer.token(at(bytes, 2) % marks);
        Parsed whole = Answers.run(tokenizer, tools, prompt, pieces);
        assertThat(Answers.run(tokenizer, tools, prompt, Answers.single(tokenizer, pieces)))
                .isEqualTo(whole);
        // Nothing is said twice, and what calls need beyond the text are quotation marks and escapes.
        assertThat((long) whole.reasoning().length() + whole.content().length()).isLessThanOrEqualTo(length);
        assertThat(whole.calls().stream().mapToLong(String::length).sum()).isLessThanOrEqualTo(6 * length);
        return !whole.calls().isEmpty();
    }

    private static int at(byte[] bytes, int i) {
        return i < bytes.length ? bytes[i] & 0xFF : 0;
    }
}
