package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How a model sets its reasoning and its calls of tools apart, as the tokens of its vocabulary tell. Known are the
/// channels and calls of Gemma 4, `<think>` with the calls of DeepSeek, of Qwen in both forms and of Llama 3, and
/// gpt-oss's Harmony. A vocabulary with the tokens of several understands several: by their ids they cannot be
/// confused.
///
/// Immutable, one per model.
public final class Dialect {
    /// Models whose way to write reasoning and calls is known.
    public enum Family {
        GEMMA4("Gemma 4"),
        DEEPSEEK("DeepSeek R1, V3, V3.1"),
        QWEN("Qwen3, Qwen3-Coder"),
        GPT_OSS("gpt-oss (Harmony)"),
        LLAMA("Llama 3");

        private final String title;

        Family(String title) {
            this.title = title;
        }

        /// For people.
        public String title() {
            return title;
        }
    }

    private static final String TOOL_CALL = "<tool_call>";
    private static final String TOOL_CALL_END = "</tool_call>";

    private final Tokenizer tokenizer;
    private final HarmonyParser.@Nullable Marks harmony;
    private final Markers markers;
    private final List<CallSyntax> calls = new ArrayList<>();
    private final List<BareCalls> bareCalls = new ArrayList<>();
    private final Set<Integer> marks = new HashSet<>();
    private final Set<Family> families = EnumSet.noneOf(Family.class);

    private Dialect(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        Map<String, Integer> plain =
                plain(tokenizer, Set.of(Markers.THINK, Markers.THINK_END, TOOL_CALL, TOOL_CALL_END));
        harmony = harmony(tokenizer);
        markers = Markers.of(tokenizer, plain);
        marks.addAll(reasoningMarks());
        markers.turn().ifPresent(marks::add);
        addGemma();
        addDeepSeek();
        addQwen(plain);
        if (harmony != null) {
            families.add(Family.GPT_OSS);
            marks.addAll(harmony.all());
        }
        if (tokenizer.idOf("<|start_header_id|>").isPresent()) {
            families.add(Family.LLAMA);
            bareCalls.add(BareCalls.LLAMA);
        }
    }

    /// Looks through the vocabulary: once per model, not per answer.
    public static Dialect of(Tokenizer tokenizer) {
        return new Dialect(tokenizer);
    }

    /// A parser for one answer.
    ///
    /// @param tools that the model was given; calls which only text tells from content are looked for when there are
    ///     any, and only of these
    /// @param prompt the tokens after which the answer begins
    public OutputParser parser(List<Tool> tools, int[] prompt) {
        return harmony != null
                ? new HarmonyParser(tokenizer, harmony, tools, prompt)
                : new ThoughtParser(tokenizer, markers, calls, tools.isEmpty() ? List.of() : bareCalls, tools, prompt);
    }

    /// The families whose marks for calls the vocabulary has.
    public Set<Family> families() {
        return Collections.unmodifiableSet(families);
    }

    /// The token with which an answer begins its reasoning; empty where that takes more than one, or none has that
    /// task.
    public OptionalInt reasoningMark() {
        return harmony == null ? markers.openId() : OptionalInt.empty();
    }

    /// Tokens around reasoning.
    Set<Integer> reasoningMarks() {
        Set<Integer> around = new HashSet<>();
        markers.openId().ifPresent(around::add);
        markers.closeId().ifPresent(around::add);
        return around;
    }

    /// Tokens with which an answer begins its calls.
    public Set<Integer> callMarks() {
        Set<Integer> opening = new HashSet<>();
        for (CallSyntax syntax : calls) {
            opening.add(syntax.open());
            opening.addAll(syntax.around());
        }
        return opening;
    }

    /// Tokens that are marks of this dialect, though the vocabulary may call them text.
    public Set<Integer> marks() {
        return Set.copyOf(marks);
    }

    private static HarmonyParser.@Nullable Marks harmony(Tokenizer tokenizer) {
        var start = tokenizer.idOf("<|start|>");
        var channel = tokenizer.idOf("<|channel|>");
        var message = tokenizer.idOf("<|message|>");
        var end = tokenizer.idOf("<|end|>");
        if (start.isEmpty() || channel.isEmpty() || message.isEmpty() || end.isEmpty()) {
            return null;
        }
        return new HarmonyParser.Marks(
                start.getAsInt(),
                channel.getAsInt(),
                message.getAsInt(),
                end.getAsInt(),
                tokenizer.idOf("<|call|>"),
                tokenizer.idOf("<|return|>"));
    }

    private void addGemma() {
        var open = tokenizer.idOf("<|tool_call>");
        var close = tokenizer.idOf("<tool_call|>");
        var quote = tokenizer.idOf("<|\"|>");
        if (open.isPresent() && close.isPresent() && quote.isPresent()) {
            int q = quote.getAsInt();
            Set<Integer> around = new HashSet<>();
            for (String text : List.of("<|tool_response>", "<tool_response|>", "<|tool>", "<tool|>")) {
                tokenizer.idOf(text).ifPresent(around::add);
            }
            add(
                    Family.GEMMA4,
                    new CallSyntax(open.getAsInt(), close.getAsInt(), Set.of(q), around, GemmaCalls.reader(q)));
        }
    }

    private void addDeepSeek() {
        var open = tokenizer.idOf("<｜tool▁call▁begin｜>");
        var close = tokenizer.idOf("<｜tool▁call▁end｜>");
        var separator = tokenizer.idOf("<｜tool▁sep｜>");
        if (open.isPresent() && close.isPresent() && separator.isPresent()) {
            Set<Integer> around = new HashSet<>();
            tokenizer.idOf("<｜tool▁calls▁begin｜>").ifPresent(around::add);
            tokenizer.idOf("<｜tool▁calls▁end｜>").ifPresent(around::add);
            int s = separator.getAsInt();
            add(
                    Family.DEEPSEEK,
                    new CallSyntax(open.getAsInt(), close.getAsInt(), Set.of(s), around, new DeepSeekCalls(s)));
        }
    }

    private void addQwen(Map<String, Integer> plain) {
        var open = find(tokenizer, plain, TOOL_CALL);
        var close = find(tokenizer, plain, TOOL_CALL_END);
        if (open.isPresent() && close.isPresent()) {
            add(Family.QWEN, new CallSyntax(open.getAsInt(), close.getAsInt(), Set.of(), Set.of(), new QwenCalls()));
            bareCalls.add(BareCalls.QWEN_CODER);
        }
    }

    private void add(Family family, CallSyntax syntax) {
        families.add(family);
        calls.add(syntax);
        marks.add(syntax.open());
        marks.add(syntax.close());
        marks.addAll(syntax.inside());
        marks.addAll(syntax.around());
    }

    /// The token that is written so, special or not.
    static OptionalInt find(Tokenizer tokenizer, Map<String, Integer> plain, String text) {
        Integer id = plain.get(text);
        var special = tokenizer.idOf(text);
        return special.isPresent() || id == null ? special : OptionalInt.of(id);
    }

    /// Whether a token is the mark; never where the vocabulary does not have it.
    static boolean is(OptionalInt mark, int token) {
        return mark.isPresent() && mark.getAsInt() == token;
    }

    /// The ids of those texts that are normal entries of the vocabulary.
    private static Map<String, Integer> plain(Tokenizer tokenizer, Set<String> texts) {
        Map<String, Integer> ids = new HashMap<>();
        if (texts.stream().allMatch(text -> tokenizer.idOf(text).isPresent())) {
            return ids;
        }
        for (int id = 0; id < tokenizer.size(); id++) {
            String text = tokenizer.token(id);
            if (texts.contains(text)) {
                ids.putIfAbsent(text, id);
            }
        }
        return ids;
    }
}
