package dev.panamoe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.chat.Dialect;
import dev.panamoe.chat.OutputParser;
import dev.panamoe.chat.Tool;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.grammar.Grammar;
import dev.panamoe.grammar.GrammarConstraint;
import dev.panamoe.grammar.JsonSchema;
import dev.panamoe.grammar.TokenTrie;
import dev.panamoe.sampling.Sampler;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Answers that obey a grammar, in every dialect: generated as a session does, from logits that a test chooses.
class AnswerConstraintTest {
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int BYTE = 6;
    private static final List<Tool> TOOLS = List.of(Tool.of("f", "", "{}"));
    private static final Grammar GRAMMAR = JsonSchema.toGrammar(
            "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1,\"é\"]}},\"required\":[\"a\"]}", "test");

    /// Control tokens, then marks that their vocabulary calls text; words that occur in calls and headers.
    @SuppressWarnings("ImmutableEnumChecker") // a tokenizer is immutable
    enum Kind {
        GEMMA(
                List.of("<bos>", "<|turn>", "<turn|>", "<|tool_response>"),
                List.of("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", "<|\"|>", "<tool_response|>"),
                List.of("thought\n", "call:f", "{}")),
        DEEPSEEK(
                List.of(
                        "<｜Assistant｜>",
                        "<｜tool▁calls▁begin｜>",
                        "<｜tool▁call▁begin｜>",
                        "<｜tool▁sep｜>",
                        "<｜tool▁call▁end｜>",
                        "<｜tool▁calls▁end｜>",
                        "<｜end▁of▁sentence｜>"),
                List.of("<think>", "</think>"),
                List.of("f", "function", "\n```json\n{}\n```", "{}")),
        QWEN(
                List.of("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
                List.of("<think>", "</think>", "<tool_call>", "</tool_call>"),
                List.of("{\"name\":\"f\"}", "<function=f>", "</function>", "\n")),
        HARMONY(
                List.of(
                        "<|start|>",
                        "<|end|>",
                        "<|message|>",
                        "<|channel|>",
                        "<|constrain|>",
                        "<|return|>",
                        "<|call|>",
                        "<|endoftext|>"),
                List.of(),
                List.of("assistant", "final", "analysis", "commentary", " to=functions.f", "json", "{}")),
        LLAMA(
                List.of("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>"),
                List.of(),
                List.of("{\"name\":\"f\",\"parameters\":{}}", "\n")),
        PLAIN_THINK(List.of("<|im_start|>", "<|im_end|>"), List.of(), List.of("</", "think", ">", ">\n", ">{"));

        private final List<String> special;
        private final List<String> words;
        private final Tokenizer tokenizer;

        Kind(List<String> control, List<String> userDefined, List<String> words) {
            special = Stream.concat(control.stream(), userDefined.stream()).toList();
            this.words = words;
            List<String> tokens = new ArrayList<>(special);
            List<Integer> types = new ArrayList<>();
            control.forEach(c -> types.add(CONTROL));
            userDefined.forEach(c -> types.add(USER_DEFINED));
            for (int b = 0; b < 256; b++) {
                tokens.add(String.format("<0x%02X>", b));
                types.add(BYTE);
            }
            tokens.addAll(words);
            words.forEach(w -> types.add(1));
            tokenizer = Tokenizer.of(Metadata.of(
                    "test",
                    Map.of(
                            "tokenizer.ggml.model",
                            "gemma4",
                            "tokenizer.ggml.tokens",
                            tokens,
                            "tokenizer.ggml.token_type",
                            types.stream().mapToInt(Integer::intValue).toArray(),
                            "tokenizer.ggml.merges",
                            List.of())));
        }

        int firstByte() {
            return special.size();
        }

        /// Ids of texts: special tokens and words by name in brackets `⟦⟧`, all else byte by byte.
        int[] ids(String text) {
            List<Integer> ids = new ArrayList<>();
            for (String part : text.split("(?=⟦)|(?<=⟧)", -1)) {
                if (part.startsWith("⟦")) {
                    String name = part.substring(1, part.length() - 1);
                    int at = special.indexOf(name);
                    ids.add(at >= 0 ? at : special.size() + 256 + words.indexOf(name));
                } else {
                    for (byte b : part.getBytes(StandardCharsets.UTF_8)) {
                        ids.add(firstByte() + (b & 0xFF));
                    }
                }
            }
            return ids.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    /// One answer under way.
    private static final class Answer {
        private final Kind kind;
        private final AnswerConstraint constraint;
        private final AnswerOutput output;
        private final Set<Integer> ends;
        boolean stopped;

        Answer(Kind kind, String prompt, boolean tools, boolean ignoreEnd) {
            this(kind, prompt, tools, ignoreEnd, GRAMMAR);
        }

        Answer(Kind kind, String prompt, boolean tools, boolean ignoreEnd, Grammar grammar) {
            this.kind = kind;
            Tokenizer tokenizer = kind.tokenizer;
            Dialect dialect = Dialect.of(tokenizer);
            OutputParser parser = dialect.parser(tools ? TOOLS : List.of(), kind.ids(prompt));
            ends = ignoreEnd ? Set.of() : tokenizer.stopTokens();
            var content = new GrammarConstraint(grammar, TokenTrie.of(tokenizer, dialect.marks()), ends);
            constraint = AnswerConstraint.ofAnswer(content, ends, parser, dialect, tools);
            output = new AnswerOutput(Optional.of(parser), List.of(), tokenizer, delta -> {});
        }

        int sample(Sampler sampler, float[] logits) {
            return sampler.sample(logits, 0, logits.length, Optional.of(constraint));
        }

        void accept(int token) {
            constraint.accept(token);
            stopped = ends.contains(token) ? output.end(token) : output.accept(token);
            stopped |= constraint.isComplete();
        }

        /// What the likeliest tokens make of an answer; where they are not allowed, others take their place.
        Answer say(String text) {
            var greedy = new Sampler(SamplingParams.GREEDY);
            for (int token : kind.ids(text)) {
                assertThat(stopped).isFalse();
                float[] logits = new float[kind.tokenizer.size()];
                logits[token] = 1;
                accept(sample(greedy, logits));
            }
            return this;
        }

        /// Whether the token comes when it is by far the likeliest.
        boolean takes(String token) {
            int id = kind.ids(token)[0];
            float[] logits = new float[kind.tokenizer.size()];
            logits[id] = 100;
            boolean greedy = sample(new Sampler(SamplingParams.GREEDY), logits) == id;
            assertThat(constraint.allows(id)).isEqualTo(greedy);
            assertThat(sample(new Sampler(SamplingParams.GREEDY.withTemperature(1)), logits) == id)
                    .isEqualTo(greedy);
            return greedy;
        }

        Answer finish() {
            output.finish();
            return this;
        }
    }

    private static Answer begin(Kind kind, String prompt) {
        return new Answer(kind, prompt, true, false);
    }

    private static String prompt(Kind kind) {
        return switch (kind) {
            case GEMMA -> "⟦<|turn>⟧model\n";
            case DEEPSEEK -> "⟦<｜Assistant｜>⟧";
            case QWEN, PLAIN_THINK -> "⟦<|im_start|>⟧assistant\n";
            case HARMONY -> "⟦<|start|>⟧⟦assistant⟧";
            case LLAMA -> "⟦<|start_header_id|>⟧assistant⟦<|end_header_id|>⟧\n\n";
        };
    }

    /// A call with the token that ends the answer; none where the grammar is in its way.
    private static String call(Kind kind) {
        return switch (kind) {
            case GEMMA -> "⟦<|tool_call>⟧⟦call:f⟧⟦{}⟧⟦<tool_call|>⟧⟦<|tool_response>⟧";
            case DEEPSEEK ->
                "⟦<｜tool▁calls▁begin｜>⟧⟦<｜tool▁call▁begin｜>⟧f⟦<｜tool▁sep｜>⟧{}⟦<｜tool▁call▁end｜>⟧"
                        + "⟦<｜tool▁calls▁end｜>⟧⟦<｜end▁of▁sentence｜>⟧";
            case QWEN -> "⟦<tool_call>⟧\n{\"name\":\"f\"}\n⟦</tool_call>⟧⟦<|im_end|>⟧";
            case HARMONY ->
                "⟦<|channel|>⟧⟦commentary⟧⟦ to=functions.f⟧ ⟦<|constrain|>⟧⟦json⟧⟦<|message|>⟧⟦{}⟧⟦<|call|>⟧";
            case LLAMA, PLAIN_THINK -> "";
        };
    }

    @Test
    void anAnswerMayEndBehindItsCalls() {
        assertThat(begin(Kind.GEMMA, prompt(Kind.GEMMA)).takes("⟦<|tool_response>⟧"))
                .isFalse();
        Answer gemma = begin(Kind.GEMMA, prompt(Kind.GEMMA)).say("⟦<|tool_call>⟧call:f{}");
        assertThat(gemma.takes("⟦<turn|>⟧")).isFalse();
        assertThat(gemma.say("⟦<tool_call|>⟧").takes("⟦<|tool_response>⟧")).isTrue();
        assertThat(gemma.takes("⟦<|tool_call>⟧")).isTrue();
        assertThat(gemma.takes("{")).isTrue();
        assertThat(gemma.say("⟦<|tool_response>⟧").finish().output.calls()).hasSize(1);
        assertThat(gemma.output.content()).isEmpty();

        Answer qwen = begin(Kind.QWEN, prompt(Kind.QWEN)).say("⟦<tool_call>⟧{\"name\":\"f\"}");
        assertThat(qwen.takes("⟦<|im_end|>⟧")).isFalse();
        assertThat(qwen.say("⟦</tool_call>⟧").takes("⟦<|im_end|>⟧")).isTrue();

        Answer deepSeek = begin(Kind.DEEPSEEK, prompt(Kind.DEEPSEEK))
                .say("⟦<｜tool▁calls▁begin｜>⟧⟦<｜tool▁call▁begin｜>⟧f⟦<｜tool▁sep｜>⟧{}⟦<｜tool▁call▁end｜>⟧"
                        + "⟦<｜tool▁calls▁end｜>⟧");
        assertThat(deepSeek.takes("⟦<｜end▁of▁sentence｜>⟧")).isTrue();
    }

    @Test
    void harmonyEndsInItsFinalMessageOrACall() {
        Answer answer = begin(Kind.HARMONY, prompt(Kind.HARMONY));
        assertThat(answer.takes("⟦<|return|>⟧")).isFalse();
        answer.say("⟦<|channel|>⟧⟦analysis⟧⟦<|message|>⟧hm");
        assertThat(answer.takes("⟦<|return|>⟧")).isFalse();
        answer.say("⟦<|end|>⟧");
        assertThat(answer.takes("⟦<|return|>⟧")).isFalse();
        answer.say("⟦<|start|>⟧⟦assistant⟧⟦<|channel|>⟧⟦commentary⟧⟦<|message|>⟧so");
        assertThat(answer.takes("⟦<|return|>⟧")).isFalse();
        answer.say("⟦<|end|>⟧⟦<|start|>⟧⟦assistant⟧⟦<|channel|>⟧⟦final⟧⟦<|message|>⟧{\"a\":1");
        assertThat(answer.takes("⟦<|return|>⟧")).isFalse();
        assertThat(answer.takes("⟦<|end|>⟧")).isFalse();
        answer.say("}").finish();
        assertThat(answer.stopped).isTrue();
        assertThat(answer.output.content()).isEqualTo("{\"a\":1}");
        assertThat(answer.output.reasoning()).isEqualTo("hm\nso");

        Answer call = begin(Kind.HARMONY, prompt(Kind.HARMONY))
                .say("⟦<|channel|>⟧⟦commentary⟧⟦ to=functions.f⟧⟦<|message|>⟧{");
        assertThat(call.takes("⟦<|call|>⟧")).isFalse();
        assertThat(call.say("}").takes("⟦<|call|>⟧")).isTrue();
        assertThat(call.say("⟦<|call|>⟧").output.calls()).hasSize(1);
    }

    @Test
    void whatIsNotTheAnswerProperIsReasoning() {
        Answer qwen = begin(Kind.QWEN, prompt(Kind.QWEN)).say("⟦<tool_call>⟧broken⟦</tool_call>⟧");
        assertThat(qwen.takes("⟦<|im_end|>⟧")).isFalse();
        qwen.say("{\"a\":1}").finish();
        assertThat(qwen.output.content()).isEqualTo("{\"a\":1}");
        assertThat(qwen.output.reasoning()).contains("broken");

        Answer plain = begin(Kind.PLAIN_THINK, prompt(Kind.PLAIN_THINK) + "<think>\n");
        plain.say("hm⟦</⟧⟦think⟧⟦>{⟧{\"a\":1}").finish();
        assertThat(plain.output.content()).isEqualTo("{\"a\":1}");
    }

    @Test
    void aCharacterThatReasoningBreaksOffDoesNotBeginTheContent() {
        Answer answer = begin(Kind.HARMONY, "⟦<|start|>⟧⟦assistant⟧⟦<|channel|>⟧⟦analysis⟧⟦<|message|>⟧");
        answer.accept(Kind.HARMONY.firstByte() + 0xC3);
        answer.say("⟦<|end|>⟧⟦<|start|>⟧⟦assistant⟧⟦<|channel|>⟧⟦final⟧⟦<|message|>⟧{\"a\":1}")
                .finish();
        assertThat(answer.output.content()).isEqualTo("{\"a\":1}");
        assertThat(answer.output.reasoning()).isEqualTo("\uFFFD");
    }

    @Test
    void reasoningIsFreeButOpensOnlyAtTheBeginning() {
        Answer answer = begin(Kind.QWEN, prompt(Kind.QWEN));
        assertThat(answer.takes("x")).isFalse();
        assertThat(answer.takes("⟦<think>⟧")).isTrue();
        answer.say("⟦<think>⟧x");
        assertThat(answer.takes("⟦<|im_end|>⟧")).isFalse();
        answer.say("⟦</think>⟧");
        assertThat(answer.takes("⟦<think>⟧")).isFalse();
        assertThat(answer.takes("⟦<|im_end|>⟧")).isFalse();
        answer.say("{");
        assertThat(answer.takes("⟦<tool_call>⟧")).isFalse();
    }

    @Test
    void newlinesMayComeBehindReasoningAndBetweenCalls() {
        String call = "⟦<tool_call>⟧\n{\"name\":\"f\"}\n⟦</tool_call>⟧";
        Answer answer = begin(Kind.QWEN, prompt(Kind.QWEN));
        assertThat(answer.takes("⟦\n⟧")).isFalse();
        answer.say("⟦<think>⟧hm⟦</think>⟧");
        assertThat(answer.takes("⟦\n⟧")).isTrue();
        answer.say("⟦\n⟧");
        assertThat(answer.takes("⟦\n⟧")).as("one is enough").isFalse();
        answer.say(call + "⟦\n⟧" + call + "⟦<|im_end|>⟧").finish();
        assertThat(answer.output.calls()).hasSize(2);
        assertThat(answer.output.content()).isEmpty();
    }

    @Test
    void whatTheGrammarAllowsIsNoCall() {
        Grammar likeACall = JsonSchema.toGrammar(
                "{\"type\":\"object\",\"properties\":{\"name\":{\"const\":\"f\"},\"parameters\":{\"type\":\"object\","
                        + "\"properties\":{},\"additionalProperties\":false}},\"required\":[\"name\",\"parameters\"],"
                        + "\"additionalProperties\":false}",
                "test");
        Answer answer = new Answer(Kind.LLAMA, prompt(Kind.LLAMA), true, false, likeACall);
        answer.say("{\"name\":\"f\",\"parameters\":{}}").finish();
        assertThat(answer.output.calls()).isEmpty();
        assertThat(answer.output.content()).isEqualTo("{\"name\":\"f\",\"parameters\":{}}");
    }

    /// An answer that ends by itself has content that matches, or calls something and has none.
    @ParameterizedTest
    @EnumSource(Kind.class)
    void answersAtRandom(Kind kind) {
        Random random = new Random(kind.name().hashCode());
        int[] call = kind.ids(call(kind));
        int matched = 0;
        int called = 0;
        for (int n = 0; n < 3000; n++) {
            boolean ignoreEnd = n % 5 == 0;
            String thinks = kind == Kind.PLAIN_THINK && n % 2 == 0 ? "<think>\n" : "";
            Answer answer = new Answer(kind, prompt(kind) + thinks, n % 4 != 0, ignoreEnd);
            var sampler = new Sampler(
                    SamplingParams.GREEDY.withTemperature(n % 3 == 0 ? 0 : 1).withSeed(n));
            for (int i = 0; i < 60 && !answer.stopped; i++) {
                float[] logits = new float[kind.tokenizer.size()];
                for (int token = 0; token < logits.length; token++) {
                    boolean plain = token >= kind.firstByte() && token < kind.firstByte() + 256;
                    logits[token] = (float) random.nextGaussian() * 2 - (plain ? 4 : 0);
                }
                logits[kind.ids("{")[0]] += 4;
                if (n % 3 == 1 && i < call.length && random.nextInt(40) > 0) {
                    logits[call[i]] = 50;
                }
                answer.accept(answer.sample(sampler, logits));
            }
            answer.finish();
            if (!answer.stopped) {
                continue;
            }
            String content = answer.output.content();
            if (answer.output.calls().isEmpty() || !content.isEmpty()) {
                assertThat(GRAMMAR.matches(content.getBytes(StandardCharsets.UTF_8)))
                        .as("answer %d: <%s> <%s> %s", n, answer.output.reasoning(), content, answer.output.calls())
                        .isTrue();
                matched++;
            } else {
                called++;
            }
        }
        assertThat(matched).isGreaterThan(20);
        assertThat(called).isGreaterThanOrEqualTo(call.length == 0 ? 0 : 100);
    }
}
