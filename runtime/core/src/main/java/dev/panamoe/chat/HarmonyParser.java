package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Reads gpt-oss's Harmony format: messages `<|start|>header<|message|>text<|end|>`, of which one answer may have
/// several. The header says the role, the channel behind `<|channel|>`, and the recipient as `to=` on either side of
/// it. The channel `analysis` is reasoning; `final`, and `commentary` that is addressed to nobody, are content; what
/// has a recipient is a call. The first header begins in the prompt.
///
/// Messages that become one text are parted by a newline.
final class HarmonyParser extends OutputParser {
    private static final String FUNCTIONS = "functions.";
    private static final String TO = "to=";
    private static final String ROLE = "assistant";

    /// No header is longer. What is, because its end was forgotten, is text.
    private static final int LONGEST_HEADER = 256;

    /// The format's tokens; `end`, `call` and `return` close a message, and the first of them leaves room for another.
    record Marks(int start, int channel, int message, int end, OptionalInt call, OptionalInt last) {
        Set<Integer> all() {
            Set<Integer> all = new HashSet<>(Set.of(start, channel, message, end));
            call.ifPresent(all::add);
            last.ifPresent(all::add);
            return all;
        }

        boolean closes(int token) {
            return token == end || Dialect.is(call, token) || Dialect.is(last, token);
        }
    }

    private enum Part {
        /// Behind a message. What comes here without a header is shown.
        OUTSIDE,
        HEADER,
        REASONING,
        /// Content on a channel that is not the final one.
        PREAMBLE,
        FINAL,
        CALL
    }

    private final Marks marks;
    private Part part = Part.HEADER;
    private Block block = new Block();
    /// Characters of the header that are the prompt's.
    private int given;
    private String recipient = "";
    private boolean reasoned;
    private boolean said;
    /// The next text begins a message.
    private boolean fresh;

    HarmonyParser(Tokenizer tokenizer, Marks marks, List<Tool> tools, int[] prompt) {
        super(tokenizer, tools, prompt);
        this.marks = marks;
        int from = prompt.length;
        while (from > 0 && prompt[from - 1] != marks.start()) {
            from--;
        }
        if (from > 0) {
            begin(prompt, from - 1);
        }
    }

    /// Begins in the state that the prompt's last message leaves behind.
    private void begin(int[] prompt, int from) {
        int textStart = from;
        for (int i = from; i < prompt.length; i++) {
            if (isMark(prompt[i])) {
                feed(text(prompt, textStart, i));
                accept(prompt[i], "");
                textStart = i + 1;
            }
        }
        feed(text(prompt, textStart, prompt.length));
        forgetPrompt();
        given = part == Part.HEADER ? block.length() : 0;
        reasoned = false;
        said = false;
    }

    private boolean isMark(int token) {
        return token == marks.start() || token == marks.channel() || token == marks.message() || marks.closes(token);
    }

    @Override
    public boolean isReasoning() {
        return part == Part.REASONING;
    }

    @Override
    public boolean isContent() {
        return part == Part.FINAL;
    }

    @Override
    public boolean endsCalling(int token) {
        return part == Part.CALL ? readCall().isPresent() : part == Part.OUTSIDE && hasCalled();
    }

    /// Messages have no white space around them.
    @Override
    public boolean skips(int token) {
        return false;
    }

    @Override
    public void beginContent() {
        // The channel has said so already.
    }

    @Override
    void accept(int token, String text) {
        if (token == marks.start()) {
            close();
            header(token, false);
        } else if (token == marks.channel()) {
            if (part != Part.HEADER) {
                close();
                header(token, true);
            } else {
                block.mark(token, text(token));
            }
        } else if (token == marks.message()) {
            if (part == Part.HEADER) {
                block.mark(token, text(token));
                message();
            }
        } else if (marks.closes(token)) {
            if (part == Part.CALL) {
                block.mark(token, text(token));
            }
            close();
        } else if (!tokenizer.isControl(token)) {
            feed(text);
        } else if (part == Part.HEADER) {
            // The type of the content stands behind a token of its own.
            feed(" ");
        }
    }

    private void header(int token, boolean keep) {
        part = Part.HEADER;
        block = new Block();
        given = 0;
        if (keep) {
            block.mark(token, text(token));
        }
    }

    private void message() {
        int channelMark = channelMark();
        int end = block.start(block.marks() - 1);
        String before = channelMark < 0 ? block.substring(0, end) : block.substring(0, block.start(channelMark));
        String after = channelMark < 0 ? "" : block.substring(block.end(channelMark), end);
        String channel = "";
        recipient = "";
        for (String word : after.strip().split("\\s+", -1)) {
            if (word.startsWith(TO)) {
                recipient = word.substring(TO.length());
            } else if (channel.isEmpty()) {
                channel = word;
            }
        }
        for (String word : before.strip().split("\\s+", -1)) {
            if (word.startsWith(TO)) {
                recipient = word.substring(TO.length());
            }
        }
        fresh = true;
        if (isFunction(recipient)) {
            part = Part.CALL;
        } else {
            block = new Block();
            part = switch (channel) {
                case "analysis" -> Part.REASONING;
                case "commentary" -> isContentReserved() ? Part.REASONING : Part.PREAMBLE;
                default -> Part.FINAL;
            };
        }
    }

    private int channelMark() {
        for (int i = block.marks() - 1; i >= 0; i--) {
            if (block.token(i) == marks.channel()) {
                return i;
            }
        }
        return -1;
    }

    private static boolean isFunction(String recipient) {
        return !recipient.isEmpty() && !recipient.equals(ROLE) && !recipient.equals("user") && !recipient.equals("all");
    }

    private void close() {
        switch (part) {
            case HEADER -> {
                // Without its text a message says nothing, but without any mark this may be the answer.
                if (block.marks() == 0 && !unseen().isBlank()) {
                    sayAside(unseen());
                }
            }
            case CALL -> readCall().ifPresentOrElse(this::call, () -> sayAside(unseen()));
            case OUTSIDE, REASONING, PREAMBLE, FINAL -> {}
        }
        block = new Block();
        part = Part.OUTSIDE;
        fresh = true;
    }

    private Optional<Call> readCall() {
        int message = 0;
        while (block.token(message) != marks.message()) {
            message++;
        }
        int from = block.end(message);
        int to = message + 1 < block.marks() ? block.start(message + 1) : block.length();
        String name = recipient.startsWith(FUNCTIONS) ? recipient.substring(FUNCTIONS.length()) : recipient;
        return name.isEmpty()
                ? Optional.empty()
                : CallJson.argumentsText(block.substring(from, to)).map(arguments -> new Call(name, arguments));
    }

    @Override
    void feed(String text) {
        if (text.isEmpty()) {
            return;
        }
        switch (part) {
            case HEADER -> {
                block.append(text);
                if (block.length() > LONGEST_HEADER) {
                    part = asidePart();
                    sayAside(unseen());
                }
            }
            case CALL -> block.append(text);
            case REASONING -> reason(text);
            case OUTSIDE -> {
                String stray = text.stripLeading();
                if (!stray.isEmpty()) {
                    part = asidePart();
                    sayAside(stray);
                }
            }
            case PREAMBLE, FINAL -> say(text);
        }
    }

    /// The message with its header, but not what the prompt gave of it.
    private String unseen() {
        String text = block.raw();
        return text.substring(given == 0 && text.startsWith(ROLE) ? ROLE.length() : given);
    }

    private Part asidePart() {
        return isContentReserved() ? Part.REASONING : Part.FINAL;
    }

    /// What is no message as it should be.
    private void sayAside(String text) {
        if (isContentReserved()) {
            reason(text);
        } else {
            say(text);
        }
    }

    private void reason(String text) {
        reasoning.append(fresh && reasoned ? "\n" : "").append(text);
        reasoned = true;
        fresh = false;
    }

    private void say(String text) {
        content.append(fresh && said ? "\n" : "").append(text);
        said = true;
        fresh = false;
    }

    @Override
    void end() {
        close();
    }
}
