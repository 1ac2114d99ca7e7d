package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.chat.ChatMessage;
import dev.panamoe.engine.Completion;
import dev.panamoe.engine.ContextFullException;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.FinishReason;
import dev.panamoe.engine.GenerationOptions;
import dev.panamoe.engine.ModelFile;
import dev.panamoe.engine.Session;
import dev.panamoe.ffm.MemoryInfo;
import dev.panamoe.gguf.Printable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.TypeConversionException;

/// A conversation with a model: answers messages and obeys the commands of {@link SlashCommand}.
///
/// The messages are kept here and handed over whole with each turn. The session knows how far they are what it computed
/// before, and reads only what is new; so whatever is done to the messages, its caches stay right.
final class Chat implements AutoCloseable {
    /// Not `/etc/hosts` or `//`, which may begin a message.
    private static final Pattern COMMAND = Pattern.compile("(/[a-zA-Z]+!?|/\\?)(?:\\s+(.*))?", Pattern.DOTALL);

    private static final String SYSTEM = "system";
    private static final String USER = "user";

    private final Console console;
    private final Notes notes;
    private final Sink replies;
    private final Function<String, Engine> opener;
    private final Function<Engine, GenerationOptions> options;
    private final Map<String, Object> variables;
    private final ChatTotals totals = new ChatTotals();

    private List<ChatMessage> messages;
    private Loaded loaded;
    private Thoughts thoughts;
    private String lastReasoning = "";
    private @Nullable Thread answering;

    /// A model that answers.
    private record Loaded(String name, Engine engine, Session session) implements AutoCloseable {
        static Loaded open(String name, Function<String, Engine> opener) {
            Engine engine = opener.apply(name);
            try {
                engine.chatFormat(); // a model that cannot converse is told now
                return new Loaded(name, engine, engine.newSession());
            } catch (RuntimeException | Error e) {
                engine.close();
                throw e;
            }
        }

        @Override
        public void close() {
            session.close();
            engine.close();
        }
    }

    /// Opens the model.
    ///
    /// @param opener opens a model by its name
    /// @param options of the next answer
    /// @param variables for the model's template besides the messages
    /// @param first messages that the conversation begins with
    Chat(
            Console console,
            Notes notes,
            String model,
            Function<String, Engine> opener,
            Function<Engine, GenerationOptions> options,
            Map<String, Object> variables,
            List<ChatMessage> first) {
        this.console = console;
        this.notes = notes;
        // Standard output is for the answers, unless a person would not see the replies elsewhere.
        this.replies = console.isInteractive() && !console.err().isTerminal() ? console.out() : console.err();
        this.opener = opener;
        this.options = options;
        this.variables = variables;
        this.messages = first;
        this.thoughts = notes.quiet() ? Thoughts.HIDE : Thoughts.SHOW;
        this.loaded = Loaded.open(model, opener);
        notes.opened(console, loaded.engine());
        notes.print(console, description() + "; /help lists the commands");
    }

    /// @param input a message or a command
    /// @return whether the conversation goes on
    /// @throws PanamoeException when the input cannot be followed; the conversation is then as before
    boolean accept(String input) throws IOException {
        Matcher command = COMMAND.matcher(input);
        if (!command.matches()) {
            if (!input.isBlank()) {
                answer(input);
            }
            return true;
        }
        String argument = Optional.ofNullable(command.group(2)).orElse("").strip();
        return obey(SlashCommand.of(command.group(1)), argument);
    }

    /// Another thread ends the answer that is being generated, if there is one.
    synchronized void stop() {
        if (answering != null) {
            answering.interrupt();
        }
    }

    private synchronized void beginAnswer() {
        answering = Thread.currentThread();
    }

    private synchronized void endAnswer() {
        answering = null;
        Thread.interrupted(); // it came too late to stop anything
    }

    List<ChatMessage> messages() {
        return messages;
    }

    private void answer(String text) {
        List<ChatMessage> turn = new ArrayList<>(messages);
        turn.add(ChatMessage.user(text));
        GenerationOptions generation = options.apply(loaded.engine());
        AnswerPrinter printer = new AnswerPrinter(console, true, thoughts);
        Completion answer;
        printer.start();
        beginAnswer();
        try {
            answer = loaded.session().answer(turn, variables, generation, printer::print);
        } catch (ContextFullException e) {
            throw new PanamoeException(
                    "with this message the conversation has " + e.tokens() + " tokens, but the context holds "
                            + e.context() + "; drop old questions with /trim N, begin anew with /reset, or start with"
                            + " a larger --ctx",
                    e);
        } finally {
            endAnswer();
            printer.finish();
        }
        // A program counts lines of answers; a person has seen that there was none.
        if (!answer.text().isEmpty() || !console.out().isTerminal()) {
            console.out().print("\n");
            console.out().flush();
        }
        totals.add(answer);
        lastReasoning = answer.reasoning();
        speed(answer);
        boolean cancelled = answer.finishReason() == FinishReason.CANCELLED;
        if (cancelled && answer.text().isEmpty()) {
            say("stopped before the answer began: this question is not remembered");
            return;
        }
        // Nothing here could answer a call, so it is told and not remembered.
        answer.toolCalls()
                .forEach(call -> sayUntrusted(
                        "the model calls " + call.name() + " " + call.arguments() + ", but chat offers no tools"));
        turn.add(ChatMessage.assistant(answer.text(), answer.reasoning(), List.of()));
        messages = List.copyOf(turn);
        if (cancelled) {
            say("stopped: the answer is remembered as far as it came");
        } else if (answer.finishReason() == FinishReason.LENGTH) {
            say(
                    answer.usage().generated() >= generation.maxTokens()
                            ? "the answer was cut off at -n " + generation.maxTokens() + " tokens"
                            : "the answer was cut off, because the context is full; drop old questions with /trim N,"
                                    + " begin anew with /reset, or start with a larger --ctx");
        }
    }

    /// What the turn cost: prompt tokens, of which some were known already.
    private void speed(Completion answer) {
        notes.dim(
                console,
                String.format(
                        Locale.ROOT,
                        "prompt %d tokens (%d cached) | first token %.2f s | generated %d tokens, %.1f tokens/s | context"
                                + " %d/%d",
                        answer.usage().prompt(),
                        answer.usage().cached(),
                        answer.timings().promptSeconds(),
                        answer.usage().generated(),
                        answer.generatedTokensPerSecond(),
                        loaded.session().position(),
                        loaded.engine().contextLength()));
    }

    private boolean obey(SlashCommand command, String argument) throws IOException {
        if (argument.isEmpty() ? command.needsArgument() : !command.takesArgument()) {
            throw new PanamoeException("this command is written: " + command.usage());
        }
        switch (command) {
            case HELP -> help();
            case RESET -> {
                messages = system().stream().toList();
                say("a new conversation begins");
            }
            case SYSTEM -> system(argument);
            case SAVE -> save(argument, false);
            case OVERWRITE -> save(argument, true);
            case LOAD -> {
                messages = Conversations.load(path(argument));
                say(Count.of(messages.size(), "message") + " loaded");
            }
            case STATS -> stats();
            case MODEL -> model(argument);
            case THINK -> think(argument);
            case TRIM -> trim(argument);
            case QUIT -> {
                return false;
            }
        }
        return true;
    }

    private void help() {
        for (SlashCommand command : SlashCommand.values()) {
            say(String.format(Locale.ROOT, "  %-16s%s", command.usage(), command.description()));
        }
        say("Anything else is a message. A line that ends with \\ goes on in the next; " + Multiline.QUOTE
                + " begins and ends a message of several lines.");
        say("Ctrl-C stops the answer, or clears what is typed; twice it leaves.");
    }

    private Optional<ChatMessage> system() {
        return messages.stream().filter(m -> m.role().equals(SYSTEM)).findFirst();
    }

    private void system(String text) {
        if (text.isEmpty()) {
            sayUntrusted(system().map(ChatMessage::content).orElse("there is no system message"));
            return;
        }
        List<ChatMessage> changed = new ArrayList<>(messages);
        changed.removeIf(m -> m.role().equals(SYSTEM));
        if (!text.equals("-")) {
            changed.addFirst(ChatMessage.system(text));
        }
        messages = List.copyOf(changed);
        say(text.equals("-") ? "the system message is removed" : "the system message holds from the next answer on");
    }

    private void save(String argument, boolean overwrite) throws IOException {
        if (messages.isEmpty()) {
            throw new PanamoeException("there is nothing to save yet");
        }
        Path file = path(argument);
        Conversations.save(file, messages, overwrite);
        say(Count.of(messages.size(), "message") + " saved to " + Printable.escape(file.toString()));
    }

    /// A file as a shell would understand it.
    private static Path path(String argument) {
        return argument.startsWith("~/")
                ? Path.of(System.getProperty("user.home", "")).resolve(argument.substring(2))
                : Path.of(argument);
    }

    private void stats() {
        say(description() + ", " + loaded.session().position() + " in use, loaded in "
                + String.format(Locale.ROOT, "%.2f s", loaded.engine().loadNanos() / 1e9));
        say(Count.of(messages.size(), "message") + "; " + totals);
        Runtime java = Runtime.getRuntime();
        say("memory: " + mebibytes(MemoryInfo.resident()) + " resident (mapped parts of the model included), Java heap "
                + ((java.totalMemory() - java.freeMemory()) >> 20) + " of " + (java.maxMemory() >> 20)
                + " MiB; left on this machine: " + mebibytes(MemoryInfo.read().usable()));
    }

    private static String mebibytes(OptionalLong bytes) {
        return bytes.isPresent() ? (bytes.getAsLong() >> 20) + " MiB" : "unknown";
    }

    private String description() {
        return "model " + Printable.escape(loaded.name()) + " | backend "
                + loaded.engine().device().id() + " | context "
                + loaded.engine().contextLength() + " positions";
    }

    private void model(String argument) {
        if (argument.isEmpty()) {
            say(description());
            return;
        }
        String name = argument.startsWith("~/") ? path(argument).toString() : argument;
        // Most mistakes show here, at no cost.
        ModelFile.open(name).close();
        // There may be no memory for both.
        String before = loaded.name();
        loaded.close();
        try {
            loaded = Loaded.open(name, opener);
        } catch (RuntimeException | Error e) {
            loaded = Loaded.open(before, opener);
            throw e;
        }
        notes.opened(console, loaded.engine());
        say(description());
    }

    private void think(String argument) {
        if (argument.isEmpty()) {
            say("reasoning: " + EnumConverter.label(thoughts));
            if (!lastReasoning.isEmpty()) {
                replies.dim();
                sayUntrusted(lastReasoning);
                replies.reset();
                replies.flush();
            }
            return;
        }
        try {
            thoughts = new EnumConverter<>(Thoughts.class).convert(argument);
        } catch (TypeConversionException e) {
            throw new PanamoeException("/think: " + e.getMessage(), e);
        }
    }

    /// A question is a user's message, and all that follows it up to the next one is its answer.
    private void trim(String argument) {
        List<Integer> questions = IntStream.range(0, messages.size())
                .filter(i -> messages.get(i).role().equals(USER))
                .boxed()
                .toList();
        if (questions.isEmpty()) {
            throw new PanamoeException("there is no question to drop yet");
        }
        int count = number(argument);
        if (count < 1 || count > questions.size()) {
            throw new PanamoeException("/trim takes 1 to " + questions.size() + ", the number of questions, not "
                    + Printable.escape(argument));
        }
        int from = count == questions.size() ? messages.size() : questions.get(count);
        List<ChatMessage> kept = new ArrayList<>(messages.subList(from, messages.size()));
        // A file may have it anywhere.
        if (kept.stream().noneMatch(m -> m.role().equals(SYSTEM))) {
            system().ifPresent(kept::addFirst);
        }
        messages = List.copyOf(kept);
        say(Count.of(count, "question") + " dropped, " + Count.of(messages.size(), "message")
                + " left; the next answer takes longer, because all of them are read again");
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /// What was asked for, and what must be known, also with `--quiet`.
    private void say(String line) {
        replies.println(line);
        replies.flush();
    }

    private void sayUntrusted(String text) {
        replies.printUntrusted(text);
        say("");
    }

    @Override
    public void close() {
        loaded.close();
    }
}
