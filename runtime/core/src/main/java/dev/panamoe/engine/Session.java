package dev.panamoe.engine;

import dev.panamoe.chat.ChatMessage;
import dev.panamoe.chat.Delta;
import dev.panamoe.chat.Dialect;
import dev.panamoe.chat.Guard;
import dev.panamoe.chat.OutputParser;
import dev.panamoe.chat.Tool;
import dev.panamoe.engine.Completion.Timings;
import dev.panamoe.engine.Completion.Usage;
import dev.panamoe.grammar.GrammarConstraint;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.sampling.Sampler;
import dev.panamoe.spi.Ops;
import dev.panamoe.tokenizer.Tokenizer;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// One conversation: its messages, and the keys and values of every token so far. Not for use by several threads at
/// once; different sessions are independent.
public final class Session implements AutoCloseable {
    private final Engine engine;
    private final List<ChatMessage> messages = new ArrayList<>();

    /// Of the latest token: of all tokens, or where `listed` is not 0, of so many of the likeliest, whose ids are
    /// beside them.
    private final float[] logits;

    private final int[] ids = new int[Ops.MAX_TOP_K];

    private int listed;

    /// What `listed` may be in this answer: how many of the likeliest tokens are enough to choose the next, or 0.
    private int shortlist;

    /// Tokens that have a text. The model may have more rows, which were never trained.
    private final int tokenCount;

    /// Not final: they are lost with their device.
    private Caches caches;

    /// What the session has read, up to `length`. The caches hold keys and values of the first `position` tokens.
    private int[] tokens = new int[64];

    private int length;
    private int position;

    /// Tokens of the latest prompt that were not computed for it, as the caches held them.
    private int cached;

    /// One more than the highest position that was stored since the caches were last begun anew.
    private int written;

    Session(Engine engine, Caches caches) {
        this.engine = engine;
        this.caches = caches;
        this.logits = new float[engine.spec().vocabulary()];
        this.tokenCount = engine.tokenizer().size();
    }

    /// Answers a message of the user and remembers both, with the sampling the model's authors recommend.
    ///
    /// @param listener gets the answer as it is generated
    public Completion chat(String message, Consumer<Delta> listener) {
        return chat(message, GenerationOptions.of(engine.defaultSampling()), listener);
    }

    /// Answers a message of the user and remembers both. When it fails, the conversation is as before.
    ///
    /// @param listener gets the answer as it is generated
    /// @throws ContextFullException when the conversation does not fit the context
    /// @throws dev.panamoe.PanamoeException when the file has no chat template, or one that refuses the conversation
    public Completion chat(String message, GenerationOptions options, Consumer<Delta> listener) {
        return chat(List.of(ChatMessage.user(message)), List.of(), Map.of(), options, listener);
    }

    /// Goes on with messages of the user or with the results of the calls in the answer before, and remembers them and
    /// the answer. When it fails, the conversation is as before.
    ///
    /// @param added what is new, for example {@link ChatMessage#toolResult}
    /// @param tools that the model may call
    /// @param variables for the model's template besides the messages, such as `enable_thinking`
    /// @param listener gets the answer as it is generated
    /// @throws ContextFullException when the conversation does not fit the context
    /// @throws dev.panamoe.PanamoeException when the file has no chat template, or one that refuses the conversation
    public Completion chat(
            List<ChatMessage> added,
            List<Tool> tools,
            Map<String, Object> variables,
            GenerationOptions options,
            Consumer<Delta> listener) {
        List<ChatMessage> with = new ArrayList<>(messages);
        with.addAll(added);
        Completion answer = answer(with, tools, variables, options, listener);
        with.add(answer.message());
        messages.clear();
        messages.addAll(with);
        return answer;
    }

    /// Like {@link #answer(List, List, Map, GenerationOptions, Consumer)}, without tools.
    public Completion answer(
            List<ChatMessage> conversation,
            Map<String, Object> variables,
            GenerationOptions options,
            Consumer<Delta> listener) {
        return answer(conversation, List.of(), variables, options, listener);
    }

    /// Answers a conversation without remembering it; what it shares with the one before costs nothing.
    ///
    /// @param tools that the model may call
    /// @param variables for the model's template besides the messages, such as `enable_thinking`
    /// @param listener gets the answer as it is generated
    /// @throws ContextFullException when the conversation does not fit the context
    /// @throws dev.panamoe.PanamoeException when the file has no chat template, or one that refuses the conversation
    public Completion answer(
            List<ChatMessage> conversation,
            List<Tool> tools,
            Map<String, Object> variables,
            GenerationOptions options,
            Consumer<Delta> listener) {
        Tokenizer tokenizer = engine.tokenizer();
        Dialect dialect = engine.dialect();
        String text = engine.chatFormat()
                .render(
                        conversation,
                        tools,
                        true,
                        variables,
                        LocalDateTime.now(ZoneId.systemDefault()),
                        Guard.of(tokenizer, dialect));
        // The template writes the beginning-of-sequence token itself.
        int[] prompt = tokenizer.encodeGuarded(text);
        OutputParser parser = dialect.parser(tools, prompt);
        Set<Integer> ends = ends(options);
        Optional<AnswerConstraint> constraint = options.grammar()
                .map(g -> AnswerConstraint.ofAnswer(
                        new GrammarConstraint(g, engine.tokenTrie(), ends), ends, parser, dialect, !tools.isEmpty()));
        return generate(prompt, options, Optional.of(parser), constraint, listener);
    }

    /// Continues a text as it is, without a chat template.
    ///
    /// @param listener gets the continuation as it is generated
    /// @throws ContextFullException when the text does not fit the context
    public Completion complete(String text, GenerationOptions options, Consumer<Delta> listener) {
        return complete(engine.tokenizer().encodePrompt(text), options, listener);
    }

    /// Continues token ids.
    ///
    /// @param listener gets the continuation as it is generated
    /// @throws ContextFullException when they do not fit the context
    /// @throws dev.panamoe.PanamoeException when there are none, or one is not in the vocabulary
    public Completion complete(int[] prompt, GenerationOptions options, Consumer<Delta> listener) {
        Set<Integer> ends = ends(options);
        Optional<AnswerConstraint> constraint = options.grammar()
                .map(g -> AnswerConstraint.ofText(new GrammarConstraint(g, engine.tokenTrie(), ends), ends));
        return generate(prompt, options, Optional.empty(), constraint, listener);
    }

    /// @param parser empty for raw text
    private Completion generate(
            int[] prompt,
            GenerationOptions options,
            Optional<OutputParser> parser,
            Optional<AnswerConstraint> constraint,
            Consumer<Delta> listener) {
        long start = System.nanoTime();
        checkPrompt(prompt);
        begin(prompt);
        Sampler sampler = new Sampler(options.sampling());
        shortlist = constraint.isEmpty() ? sampler.shortlist(Ops.MAX_TOP_K, tokenCount) : 0;
        for (int token : prompt) {
            sampler.accept(token);
        }
        List<Integer> generated = new ArrayList<>();
        if (!catchUp()) {
            long now = System.nanoTime();
            return new Completion(
                    "",
                    "",
                    List.of(),
                    generated,
                    FinishReason.CANCELLED,
                    new Usage(prompt.length, cached, 0),
                    new Timings(now - start, 0));
        }
        AnswerOutput output = new AnswerOutput(parser, options.stops(), engine.tokenizer(), listener);
        Set<Integer> ends = ends(options);
        long promptEnd = 0;
        FinishReason reason;
        while (true) {
            int token = listed > 0
                    ? sampler.sample(ids, logits, listed)
                    : sampler.sample(logits, 0, tokenCount, constraint);
            if (generated.isEmpty()) {
                promptEnd = System.nanoTime();
            }
            sampler.accept(token);
            constraint.ifPresent(c -> c.accept(token));
            generated.add(token);
            if ((ends.contains(token) ? output.end(token) : output.accept(token))
                    || constraint.filter(AnswerConstraint::isComplete).isPresent()) {
                reason = FinishReason.STOP;
                break;
            }
            if (generated.size() >= options.maxTokens() || position >= engine.contextLength()) {
                reason = FinishReason.LENGTH;
                break;
            }
            append(token);
            if (!catchUp()) {
                reason = FinishReason.CANCELLED;
                break;
            }
        }
        output.finish();
        return new Completion(
                output.content(),
                output.reasoning(),
                output.calls(),
                generated,
                reason == FinishReason.STOP && !output.calls().isEmpty() ? FinishReason.TOOL_CALLS : reason,
                new Usage(prompt.length, cached, generated.size()),
                new Timings(promptEnd - start, System.nanoTime() - promptEnd));
    }

    /// Tokens that end an answer.
    private Set<Integer> ends(GenerationOptions options) {
        return options.ignoreEnd() ? Set.of() : engine.tokenizer().stopTokens();
    }

    private void checkPrompt(int[] prompt) {
        if (prompt.length > engine.contextLength()) {
            throw new ContextFullException(prompt.length, engine.contextLength());
        }
        Engine.checkTokens(prompt, tokenCount);
    }

    /// Puts the new prompt in the place of all tokens before. Of those that the caches hold already, the last one never
    /// counts: its logits are needed.
    private void begin(int[] prompt) {
        int shorter = engine.holds(caches) ? Math.min(position, prompt.length) : 0;
        int common = Arrays.mismatch(tokens, 0, shorter, prompt, 0, shorter);
        if (common < 0) {
            common = shorter;
        }
        common = Math.min(common, prompt.length - 1);
        // What counts is how far rings were ever written, not where an earlier rewind has left the session.
        if (written - common > caches.rewindable()) {
            common = 0;
        }
        if (common == 0) {
            written = 0;
        }
        position = common;
        cached = common;
        tokens = Arrays.copyOf(prompt, Math.max(tokens.length, prompt.length));
        length = prompt.length;
    }

    private void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(2 * length, engine.contextLength()));
        }
        tokens[length++] = token;
    }

    /// Passes all tokens that the caches do not hold through the model, and leaves the logits of the last one; false
    /// when the thread was interrupted. Other sessions take their turns between the passes; where one of them loses the
    /// device, this begins at the first token again.
    private boolean catchUp() {
        while (position < length) {
            if (Thread.interrupted()) {
                return false;
            }
            engine.run(this::pass);
        }
        return true;
    }

    private void pass(Runner runner) {
        if (!engine.holds(caches)) {
            caches = engine.renew(caches);
            position = 0;
            cached = 0;
            written = 0;
        }
        int n = Math.min(runner.maxRows(), length - position);
        // Before the pass: when it fails half way, some of it may be written.
        written = Math.max(written, position + n);
        runner.forward(caches, tokens, position, n, position, Tap.NONE);
        position += n;
        if (position == length) {
            listed = engine.prefersTopK() ? shortlist : 0;
            if (listed > 0) {
                runner.topTokens(n - 1, tokenCount, listed, ids, logits);
            } else {
                runner.logits(n - 1, 1, logits, 0, Tap.NONE);
            }
        }
    }

    /// The conversation so far, see {@link #chat}.
    public List<ChatMessage> messages() {
        return List.copyOf(messages);
    }

    /// Positions in use.
    public int position() {
        return position;
    }

    /// Forgets everything.
    public void reset() {
        messages.clear();
        length = 0;
        position = 0;
        written = 0;
    }

    /// Frees the keys and values.
    @Override
    public void close() {
        engine.close(caches);
    }
}
