package dev.panamoe.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class OutputParserTest {
    private static final List<String> WORDS = List.of(
            "thought", "\n", "\n\n", "Why", " so", ".", "Yes", "<thi", "nk>", "</", "think", ">", "<", "x", " ");
    private static final List<String> CHANNELS = List.of("<|channel>", "<channel|>");
    private static final List<String> TURNS = List.of("<|turn>", "<turn|>", "<eos>");

    private static final WordTokenizer GEMMA = new WordTokenizer(TURNS, CHANNELS, WORDS);
    private static final WordTokenizer GEMMA_OLD =
            new WordTokenizer(List.of("<|turn>", "<turn|>", "<eos>", "<|channel>", "<channel|>"), List.of(), WORDS);
    private static final List<String> DEEPSEEK_CONTROL = List.of("<User>", "<Assistant>", "<eos>");
    private static final WordTokenizer DEEPSEEK =
            new WordTokenizer(DEEPSEEK_CONTROL, List.of("<think>", "</think>"), WORDS);
    private static final WordTokenizer NORMAL_ENTRIES = new WordTokenizer(
            DEEPSEEK_CONTROL,
            List.of(),
            List.of("<think>", "</think>", "thought", "\n", "\n\n", "Why", " so", ".", "Yes", "<thi", "nk>"));
    private static final WordTokenizer TEXT_ONLY = new WordTokenizer(DEEPSEEK_CONTROL, List.of(), WORDS);

    private static int[] none() {
        return new int[0];
    }

    private static OutputParser parser(WordTokenizer tokenizer, int[] prompt) {
        return Dialect.of(tokenizer).parser(List.of(), prompt);
    }

    /// The whole answer; every delta joined.
    private static Delta parse(WordTokenizer tokenizer, int[] prompt, String... tokens) {
        var parser = parser(tokenizer, prompt);
        var stream = tokenizer.stream(false);
        var reasoning = new StringBuilder();
        var content = new StringBuilder();
        for (int id : tokenizer.ids(tokens)) {
            var delta = parser.append(id, stream.append(id));
            reasoning.append(delta.reasoning());
            content.append(delta.content());
        }
        for (var delta : List.of(parser.append(stream.finish()), parser.finish())) {
            reasoning.append(delta.reasoning());
            content.append(delta.content());
        }
        return new Delta(reasoning.toString(), content.toString());
    }

    @Test
    void takesGemmasThoughtChannelApart() {
        for (var tokenizer : List.of(GEMMA, GEMMA_OLD)) {
            int[] prompt = tokenizer.ids("<|turn>", "Why", "\n");
            assertThat(parse(
                            tokenizer,
                            prompt,
                            "<|channel>",
                            "thought",
                            "\n",
                            "Why",
                            " so",
                            "\n",
                            "<channel|>",
                            "Yes",
                            "."))
                    .isEqualTo(new Delta("Why so", "Yes."));
        }
    }

    @Test
    void beginsGemmaInsideTheThoughtThatThePromptOpened() {
        int[] open = GEMMA.ids("<|turn>", "<|channel>", "thought", "\n");
        assertThat(parser(GEMMA, open).isReasoning()).isTrue();
        assertThat(parse(GEMMA, open, "Why", "<channel|>", "Yes")).isEqualTo(new Delta("Why", "Yes"));
        int[] bare = GEMMA.ids("<|turn>", "<|channel>");
        assertThat(parse(GEMMA, bare, "thought", "\n", "Why", "<channel|>", "Yes"))
                .isEqualTo(new Delta("Why", "Yes"));
        int[] empty = GEMMA.ids("<|turn>", "<|channel>", "thought", "\n", "<channel|>");
        assertThat(parse(GEMMA, empty, "Yes", ".")).isEqualTo(new Delta("", "Yes."));
        // A mark that an earlier message left open, whatever kind of token begins a turn.
        var turnsAreText = new WordTokenizer(List.of(), List.of("<|turn>", "<|channel>", "<channel|>"), WORDS);
        for (var tokenizer : List.of(GEMMA, turnsAreText)) {
            int[] earlierTurn = tokenizer.ids("<|channel>", "thought", "\n", "<|turn>", "Why");
            assertThat(parse(tokenizer, earlierTurn, "Yes")).isEqualTo(new Delta("", "Yes"));
        }
    }

    @Test
    void toleratesWhatGemmaDoes() {
        assertThat(parse(GEMMA, none(), "Yes", "<channel|>", ".")).isEqualTo(new Delta("", "Yes."));
        assertThat(parse(GEMMA, none(), "<|channel>", "<|channel>", "thought", "\n", "Why", "<channel|>", "Yes"))
                .isEqualTo(new Delta("Why", "Yes"));
        assertThat(parse(GEMMA, none(), "Yes", "<|channel>", "thought", "\n", "<channel|>"))
                .isEqualTo(new Delta("", "Yes"));
        assertThat(parse(GEMMA, none(), "Yes", "<|channel>", "thought", "<channel|>", "<turn|>"))
                .isEqualTo(new Delta("", "Yes"));
        assertThat(parse(GEMMA, none(), "<|channel>", "Why", "<channel|>", "Yes"))
                .isEqualTo(new Delta("Why", "Yes"));
        assertThat(parse(
                        GEMMA,
                        none(),
                        "<|channel>",
                        "thought",
                        "\n",
                        "Why",
                        "<channel|>",
                        "Yes",
                        "<|channel>",
                        "thought",
                        "\n",
                        " so",
                        "<channel|>",
                        "."))
                .isEqualTo(new Delta("Why\n so", "Yes."));
        assertThat(parse(GEMMA, none(), "<|channel>", "thought", "\n", "Why")).isEqualTo(new Delta("Why", ""));
        assertThat(parse(GEMMA, none(), "<|channel>", "thought")).isEqualTo(new Delta("", ""));
        // The word alone is no header, and newlines of the content stay.
        assertThat(parse(GEMMA, none(), "thought", "\n", "Yes")).isEqualTo(new Delta("", "thought\nYes"));
        assertThat(parse(GEMMA, none(), "<thi", "nk>")).isEqualTo(new Delta("", "<think>"));
    }

    @Test
    void takesThinkBlocksApart() {
        for (var tokenizer : List.of(DEEPSEEK, NORMAL_ENTRIES)) {
            int[] prompt = tokenizer.ids("<User>", "Why", "<Assistant>", "<think>", "\n");
            assertThat(parse(tokenizer, prompt, "Why", " so", "\n", "</think>", "\n\n", "Yes", "\n", "Yes"))
                    .isEqualTo(new Delta("Why so", "Yes\nYes"));
            int[] closed = tokenizer.ids("<Assistant>", "<think>", "\n\n", "</think>", "\n\n");
            assertThat(parse(tokenizer, closed, "Yes")).isEqualTo(new Delta("", "Yes"));
            int[] bare = tokenizer.ids("<User>", "Why", "<Assistant>");
            assertThat(parse(tokenizer, bare, "<think>", "\n", "Why", "</think>", "\n\n", "Yes"))
                    .isEqualTo(new Delta("Why", "Yes"));
            assertThat(parse(tokenizer, bare, "<think>", "\n\n", "</think>", "\n\n", "Yes"))
                    .isEqualTo(new Delta("", "Yes"));
            assertThat(parse(tokenizer, bare, "Yes", "</think>", ".", "<eos>")).isEqualTo(new Delta("", "Yes."));
            assertThat(parse(tokenizer, prompt, "<think>", "\n", "Why", "</think>", "Yes"))
                    .isEqualTo(new Delta("Why", "Yes"));
            // What only looks like a mark is text.
            assertThat(parse(tokenizer, bare, "<thi", "nk>", "Why")).isEqualTo(new Delta("", "<think>Why"));
        }
    }

    @Test
    void findsMarksInTheTextWhereTheVocabularyHasNone() {
        int[] bare = TEXT_ONLY.ids("<User>", "Why", "<Assistant>");
        int[] open = TEXT_ONLY.ids("<Assistant>", "<thi", "nk>", "\n");
        int[] asked = TEXT_ONLY.ids("<User>", "<thi", "nk>", "Why");
        assertThat(parse(TEXT_ONLY, bare, "\n", "<thi", "nk>", "\n", "Why", "\n", "</", "think", ">", "\n", "Yes"))
                .isEqualTo(new Delta("Why", "Yes"));
        assertThat(parse(TEXT_ONLY, open, "Why", "</", "think", ">", "Yes")).isEqualTo(new Delta("Why", "Yes"));
        assertThat(parse(TEXT_ONLY, open, "<thi", "nk>", "Why", "</", "think", ">", "Yes"))
                .isEqualTo(new Delta("Why", "Yes"));
        assertThat(parse(TEXT_ONLY, asked, "Yes")).isEqualTo(new Delta("", "Yes"));
        assertThat(parse(TEXT_ONLY, open, "Why", "</", "x", "<", "think", ">"))
                .isEqualTo(new Delta("Why</x<think>", ""));
        assertThat(parse(TEXT_ONLY, open, "Why", "</")).isEqualTo(new Delta("Why</", ""));
        assertThat(parse(TEXT_ONLY, bare, "<thi")).isEqualTo(new Delta("", "<thi"));
        assertThat(parse(TEXT_ONLY, bare, " ", "<", "x", "<thi", "nk>")).isEqualTo(new Delta("", " <x<think>"));
    }

    @Test
    void holdsBackNoMoreThanItMust() {
        var parser = parser(TEXT_ONLY, TEXT_ONLY.ids("<Assistant>", "<thi", "nk>", "\n"));
        assertThat(parser.append(TEXT_ONLY.ids("Why")[0], "Why")).isEqualTo(new Delta("Why", ""));
        assertThat(parser.append(TEXT_ONLY.ids("</")[0], "so</")).isEqualTo(new Delta("so", ""));
        assertThat(parser.append(TEXT_ONLY.ids("x")[0], "x")).isEqualTo(new Delta("</x", ""));
        assertThat(parser.append(TEXT_ONLY.ids("\n")[0], "\n")).isEqualTo(Delta.EMPTY);
        assertThat(parser.append(TEXT_ONLY.ids("Yes")[0], "Yes")).isEqualTo(new Delta("\nYes", ""));
    }

    @Test
    void hidesControlTokens() {
        var parser = parser(DEEPSEEK, none());
        assertThat(parser.append(DEEPSEEK.ids("<User>")[0], "<User>")).isEqualTo(Delta.EMPTY);
    }
}
