package dev.panamoe.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jline.builtins.Completers.FileNameCompleter;
import org.jline.reader.Candidate;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.Signals;

/// Messages that a person types, with a line editor. All that is known of JLine is here and in {@link InputHistory}, so
/// that other commands start without it.
final class TypedMessages implements MessageSource {
    private static final String PROMPT = "> ";
    private static final String FURTHER_LINES = ". ";
    private static final Size UNKNOWN_SIZE = Size.of(80, 24);

    /// Registered once for as long as messages are typed. JLine's native signals put the JVM's handler, which ends the
    /// process, back for a moment at the end of each line, and in one of some fifty starts for good.
    private static final List<Terminal.Signal> HANDLED =
            List.of(Terminal.Signal.INT, Terminal.Signal.WINCH, Terminal.Signal.CONT);

    private final Console console;
    private final Terminal terminal;
    private final LineReader reader;
    private boolean interrupted;

    private TypedMessages(Console console, Terminal terminal, LineReader reader) {
        this.console = console;
        this.terminal = terminal;
        this.reader = reader;
    }

    /// @param history the file of earlier input
    /// @param stop what Ctrl-C does while nobody types
    static TypedMessages open(Console console, Optional<Path> history, Runnable stop) throws IOException {
        TerminalBuilder builder = TerminalBuilder.builder()
                .name("panamoe")
                .encoding(StandardCharsets.UTF_8)
                // The terminal would be asked what it can do, and some take long to answer.
                .graphemeCluster(false)
                // Its library would be unpacked to a temporary folder.
                .jni(false)
                // It would exchange a signal's handler twice for each line; see below.
                .nativeSignals(false)
                .dumb(true);
        Terminal terminal = (console.isProcess()
                        ? builder.system(true)
                                .systemOutput(TerminalBuilder.SystemOutput.SysOutOrSysErr)
                                .exec(false)
                        // No device: JLine itself does what a terminal's line discipline does.
                        : builder.system(false)
                                .streams(console.in(), console.out().stream())
                                .ffm(false)
                                .type("xterm"))
                .build();
        if (terminal.getColumns() < 1) {
            terminal.setSize(UNKNOWN_SIZE); // a container's terminal may not know it
        }
        terminal.handle(Terminal.Signal.INT, signal -> stop.run());
        if (console.isProcess()) {
            HANDLED.forEach(signal -> Signals.register(signal.name(), () -> terminal.raise(signal)));
        }
        LineReaderBuilder readers = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("panamoe")
                .history(new InputHistory())
                .parser(new CommandParser())
                .completer(TypedMessages::complete)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, FURTHER_LINES)
                .variable(LineReader.BELL_STYLE, "none")
                // A message may hold exclamation marks.
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(
                        LineReader.Option.BRACKETED_PASTE,
                        console.out().canRewrite() || console.err().canRewrite());
        history.ifPresent(file -> readers.variable(LineReader.HISTORY_FILE, file));
        LineReader reader = readers.build();
        reader.getWidgets().put(LineReader.ACCEPT_LINE, () -> accept(reader));
        return new TypedMessages(console, terminal, reader);
    }

    /// What the Enter key does.
    private static boolean accept(LineReader reader) {
        var buffer = reader.getBuffer();
        String text = buffer.toString();
        if (Multiline.continues(text)) {
            buffer.cursor(buffer.length());
            buffer.backspace();
            buffer.write('\n');
        } else if (Multiline.inBlock(text)) {
            buffer.write('\n');
        } else {
            reader.callWidget("." + LineReader.ACCEPT_LINE);
        }
        return true;
    }

    @Override
    public Optional<String> next() {
        console.out().flush();
        console.err().flush();
        while (true) {
            try {
                String text = reader.readLine(PROMPT);
                interrupted = false;
                return Optional.of(Multiline.unquoted(text));
            } catch (UserInterruptException e) {
                if (interrupted && e.getPartialLine().isEmpty()) {
                    return Optional.empty();
                }
                interrupted = true;
                terminal.writer().println("(Ctrl-C again or Ctrl-D leaves)");
                terminal.flush();
            } catch (EndOfFileException e) {
                return Optional.empty();
            }
        }
    }

    /// Puts the terminal back as it was, and lets Ctrl-C end the process.
    @Override
    public void close() throws IOException {
        terminal.close();
        if (console.isProcess()) {
            HANDLED.forEach(signal -> Signals.registerDefault(signal.name()));
        }
    }

    private static void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        if (line.wordIndex() == 0) {
            if (line.word().startsWith("/")) {
                for (SlashCommand command : SlashCommand.values()) {
                    candidates.add(new Candidate(
                            command.text(), command.text(), null, command.description(), null, null, true));
                }
            }
            return;
        }
        Optional<SlashCommand> command = SlashCommand.find(line.words().getFirst());
        if (command.isEmpty()) {
            return;
        }
        command.get().choices().forEach(v -> candidates.add(new Candidate(v)));
        if (command.get().takesFile()) {
            new FileNameCompleter().complete(reader, line, candidates);
        }
    }

    /// A command is a first word and the rest, blanks included; a message is one word.
    private static final class CommandParser implements Parser {
        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            int blank = line.startsWith("/") ? line.indexOf(' ') : -1;
            if (blank < 0 || cursor <= blank) {
                return new Words(line, cursor, List.of(blank < 0 ? line : line.substring(0, blank)), 0, cursor);
            }
            int rest = blank;
            while (rest < cursor && line.charAt(rest) == ' ') {
                rest++;
            }
            return new Words(line, cursor, List.of(line.substring(0, blank), line.substring(rest)), 1, cursor - rest);
        }

        @Override
        public boolean isEscapeChar(char c) {
            return false;
        }
    }

    private record Words(String line, int cursor, List<String> words, int wordIndex, int wordCursor)
            implements CompletingParsedLine {
        @Override
        public String word() {
            return words.get(wordIndex);
        }

        /// Nothing is quoted: the rest of the line is one word.
        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return wordCursor;
        }

        @Override
        public int rawWordLength() {
            return word().length();
        }
    }
}
