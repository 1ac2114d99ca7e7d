package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// Reads answers whose reasoning stands between two marks, and calls of tools in blocks of their own.
///
/// Known are Gemma 4's `<|channel>thought↵…<channel|>` and the `<think>…</think>` of DeepSeek, Qwen and others.
/// Tolerated are closing marks without an opening one, several opening marks, and empty or further blocks of reasoning,
/// also at the end. Newlines around the reasoning belong to the marks, and so do those around calls when the model was
/// given tools. A call ends the reasoning that it stands in.
final class ThoughtParser extends OutputParser {
    /// No answer begins with more white space before something that is told by its text.
    private static final int LONGEST_SPACE = 200;

    private enum Part {
        /// Nothing but white space yet, where `<think>` or a call may be written as text.
        START,
        CONTENT,
        /// Just behind an opening mark: what follows may be the mark's header.
        HEADER,
        REASONING,
        /// Between the marks of a call.
        CALL,
        /// In what may be a call without marks.
        BARE_CALL
    }

    private final Markers markers;
    private final List<CallSyntax> syntaxes;
    private final List<BareCalls> bareCalls;
    private final OptionalInt pythonTag;
    /// Text that cannot be placed before more is known.
    private final StringBuilder pending = new StringBuilder();
    private Part part;
    /// Whether the opening mark may be found as text.
    private boolean mayOpen;
    private boolean reasoned;
    private boolean blockIsEmpty = true;
    /// Newlines at the end of the reasoning so far: shown only if more follows.
    private int newlines;
    /// Newlines at the end of the content so far: shown unless a call follows.
    private int contentNewlines;

    private boolean skipsNewlines;

    private Block block = new Block();
    /// Of the call, while in one.
    private @Nullable CallSyntax syntax;
    private boolean calledInReasoning;
    private @Nullable BareCalls bare;
    private BareCalls.@Nullable End bareEnd;
    private String spaceBefore = "";
    private boolean bareCalled;

    /// @param syntaxes how calls may be marked
    /// @param bareCalls how they may be written without marks
    ThoughtParser(
            Tokenizer tokenizer,
            Markers markers,
            List<CallSyntax> syntaxes,
            List<BareCalls> bareCalls,
            List<Tool> tools,
            int[] prompt) {
        super(tokenizer, tools, prompt);
        this.markers = markers;
        this.syntaxes = syntaxes;
        this.bareCalls = bareCalls;
        pythonTag = tokenizer.idOf("<|python_tag|>");
        mayOpen = markers.openId().isEmpty();
        part = mayOpen || !bareCalls.isEmpty() ? Part.START : Part.CONTENT;
        begin(prompt);
    }

    @Override
    public boolean isReasoning() {
        return part == Part.HEADER || part == Part.REASONING;
    }

    @Override
    public boolean isContent() {
        return part == Part.START || part == Part.CONTENT || part == Part.BARE_CALL;
    }

    @Override
    public boolean endsCalling(int token) {
        return hasCalled() && (part == Part.START || part == Part.CONTENT);
    }

    @Override
    public boolean skips(int token) {
        return isContent() && skipsNewlines && text(token).chars().allMatch(c -> c == '\n');
    }

    @Override
    public void beginContent() {
        mayOpen = false;
        skipsNewlines = false;
        pending.setLength(0); // white space that was to be skipped
        part = Part.CONTENT;
    }

    @Override
    void accept(int token, String text) {
        CallSyntax opened = opened(token);
        if (opened != null) {
            settle();
            openCall(opened, token);
        } else if (syntax != null && token == syntax.close()) {
            block.mark(token, text(token));
            endCall();
        } else if (syntax != null && syntax.inside().contains(token)) {
            block.mark(token, text(token));
        } else if (markers.opens(token)) {
            settle();
            open();
        } else if (markers.closes(token)) {
            settle();
            close();
        } else if (Dialect.is(pythonTag, token)) {
            settle();
            part = !isReasoning() && !bareCalls.isEmpty() ? Part.START : part;
        } else if (!tokenizer.isControl(token) && !enclosesCalls(token)) {
            feed(text);
        }
    }

    private @Nullable CallSyntax opened(int token) {
        for (CallSyntax candidate : syntaxes) {
            if (candidate.open() == token) {
                return candidate;
            }
        }
        return null;
    }

    /// Marks without a call, which are no text either.
    private boolean enclosesCalls(int token) {
        for (CallSyntax candidate : syntaxes) {
            if (candidate.close() == token || candidate.around().contains(token)) {
                return true;
            }
        }
        return false;
    }

    @Override
    void end() {
        settle();
        sayNewlines();
        newlines = 0;
    }

    /// What is pending gets its place, since a mark or the end comes.
    private void settle() {
        String text = pending.toString();
        pending.setLength(0);
        switch (part) {
            case START -> say(bareCalled && text.chars().allMatch(c -> isSpace((char) c)) ? "" : text);
            case CONTENT -> say(text);
            case HEADER -> endHeader(text);
            case REASONING -> reason(text);
            case CALL -> endCall();
            case BARE_CALL -> {
                part = Part.CONTENT;
                say(spaceBefore + text);
            }
        }
    }

    /// Begins in the state that the prompt's last turn leaves behind.
    private void begin(int[] prompt) {
        int from = prompt.length;
        while (from > 0) {
            int token = prompt[from - 1];
            if (markers.opens(token)) {
                open();
                feed(text(prompt, from, prompt.length));
                break;
            }
            if (markers.closes(token)) {
                skipsNewlines = markers.gap();
                part = afterReasoning();
                break;
            }
            if (tokenizer.isControl(token) || markers.beginsTurn(token)) {
                break;
            }
            from--;
        }
        if (markers.openId().isEmpty()) {
            String tail = text(prompt, from, prompt.length);
            int open = tail.lastIndexOf(markers.open());
            if (open >= 0 && tail.substring(open + markers.open().length()).isBlank()) {
                open();
            }
        }
        forgetPrompt();
        reasoned = false;
    }

    private Part afterReasoning() {
        return bareCalls.isEmpty() ? Part.CONTENT : Part.START;
    }

    private void open() {
        if (!isReasoning()) {
            sayNewlines();
            blockIsEmpty = true;
            newlines = 0;
        }
        mayOpen = false;
        part = markers.header().isEmpty() ? Part.REASONING : Part.HEADER;
    }

    private void close() {
        if (isReasoning()) {
            skipsNewlines = markers.gap();
        }
        part = isReasoning() || part == Part.START ? afterReasoning() : Part.CONTENT;
        mayOpen = false;
        newlines = 0;
    }

    /// The header may have come without its newline; anything else is reasoning.
    private void endHeader(String text) {
        if (!markers.header().strip().equals(text)) {
            reason(text);
        }
    }

    private void openCall(CallSyntax opened, int token) {
        calledInReasoning = isReasoning();
        syntax = opened;
        block = new Block();
        block.mark(token, text(token));
        part = Part.CALL;
    }

    private void endCall() {
        List<Call> calls = syntax == null ? List.of() : syntax.read(block, tools);
        syntax = null;
        if (!calls.isEmpty()) {
            found(calls);
            part = Part.CONTENT;
        } else if (calledInReasoning) {
            part = Part.REASONING;
            reason(block.raw());
        } else if (isContentReserved()) {
            part = Part.CONTENT;
            reason(block.raw());
        } else {
            part = Part.CONTENT;
            say(block.raw());
        }
        block = new Block();
    }

    private void found(List<Call> calls) {
        calls.forEach(this::call);
        mayOpen = false;
        newlines = 0;
        contentNewlines = 0;
        skipsNewlines = true;
    }

    @Override
    void feed(String text) {
        if (part == Part.CALL) {
            block.append(text);
            return;
        }
        pending.append(text);
        Part before;
        do {
            before = part;
            switch (part) {
                case START -> start();
                case HEADER -> header();
                case REASONING -> think();
                case CONTENT -> answer();
                case BARE_CALL -> bareCall();
                case CALL -> throw new IllegalStateException("text cannot begin a marked call");
            }
        } while (part != before);
    }

    private void start() {
        int begin = 0;
        while (begin < pending.length() && isSpace(pending.charAt(begin))) {
            begin++;
        }
        if (begin > LONGEST_SPACE) {
            part = Part.CONTENT;
            return;
        }
        if (mayOpen && startsWith(markers.open(), begin)) {
            pending.delete(0, begin + markers.open().length());
            open();
            return;
        }
        boolean undecided = mayOpen && mayStartWith(markers.open(), begin);
        for (BareCalls candidate : bareCalls) {
            if (startsWith(candidate.prefix(), begin)) {
                bare = candidate;
                bareEnd = candidate.end().get();
                spaceBefore = pending.substring(0, begin);
                pending.delete(0, begin);
                part = Part.BARE_CALL;
                return;
            }
            undecided |= mayStartWith(candidate.prefix(), begin);
        }
        if (!undecided) {
            part = Part.CONTENT;
        }
    }

    private void bareCall() {
        if (bare == null || bareEnd == null) {
            return;
        }
        int end = bareEnd.find(pending);
        if (end == BareCalls.End.UNKNOWN) {
            return;
        }
        List<Call> calls = end == BareCalls.End.NEVER ? List.of() : bare.read(pending.substring(0, end), tools);
        if (calls.isEmpty()) {
            part = Part.CONTENT;
            say(spaceBefore);
        } else {
            found(calls);
            pending.delete(0, end);
            bareCalled = true;
            part = Part.START;
        }
    }

    /// Between several calls without marks stand semicolons.
    private boolean isSpace(char c) {
        return Character.isWhitespace(c) || (bareCalled && c == ';');
    }

    private boolean startsWith(String mark, int from) {
        return pending.length() - from >= mark.length()
                && mark.contentEquals(pending.subSequence(from, from + mark.length()));
    }

    private boolean mayStartWith(String mark, int from) {
        return pending.length() - from < mark.length() && mark.startsWith(pending.substring(from));
    }

    private void header() {
        if (startsWith(markers.header(), 0)) {
            pending.delete(0, markers.header().length());
            part = Part.REASONING;
        } else if (!mayStartWith(markers.header(), 0)) {
            part = Part.REASONING;
        }
    }

    private void think() {
        if (markers.openId().isEmpty() && blockIsEmpty && repeatsOpening()) {
            return;
        }
        int safe = pending.length();
        if (markers.closeId().isEmpty()) {
            int close = pending.indexOf(markers.close());
            if (close >= 0) {
                reason(pending.substring(0, close));
                pending.delete(0, close + markers.close().length());
                if (isContentReserved()) {
                    // The token that ended the reasoning is not one of the content.
                    reason(pending.toString());
                    pending.setLength(0);
                }
                close();
                return;
            }
            safe -= Overlap.suffix(pending, markers.close());
        }
        reason(pending.substring(0, safe));
        pending.delete(0, safe);
    }

    /// A model that was put inside the reasoning may write the opening mark again.
    ///
    /// @return whether the text so far may be the beginning of it
    private boolean repeatsOpening() {
        int begin = 0;
        while (begin < pending.length() && pending.charAt(begin) == '\n') {
            begin++;
        }
        if (startsWith(markers.open(), begin)) {
            pending.delete(0, begin + markers.open().length());
            return false;
        }
        return begin < pending.length() && mayStartWith(markers.open(), begin);
    }

    private void answer() {
        say(pending.toString());
        pending.setLength(0);
    }

    private void say(String text) {
        int start = 0;
        if (skipsNewlines) {
            while (start < text.length() && text.charAt(start) == '\n') {
                start++;
            }
            skipsNewlines = start == text.length();
        }
        int end = text.length();
        while (!tools.isEmpty() && end > start && text.charAt(end - 1) == '\n') {
            end--;
        }
        if (end > start) {
            sayNewlines();
            content.append(text, start, end);
        }
        contentNewlines += text.length() - end;
    }

    private void sayNewlines() {
        content.repeat('\n', contentNewlines);
        contentNewlines = 0;
    }

    private void reason(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                newlines++;
                continue;
            }
            if (blockIsEmpty) {
                newlines = reasoned ? 1 : 0;
                blockIsEmpty = false;
                reasoned = true;
            }
            reasoning.repeat('\n', newlines).append(c);
            newlines = 0;
        }
    }
}
