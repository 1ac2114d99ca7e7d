package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Separates a model's reasoning from its answer while the tokens come, by token id where the vocabulary has tokens
/// for the marks, so that text which merely looks like a mark is left alone.
///
/// Known are Gemma 4's `<|channel>thought↵…<channel|>` and the `<think>…</think>` of DeepSeek, Qwen and others. Whether
/// the answer begins inside the reasoning is read from the end of the prompt. Tolerated are closing marks without an
/// opening one, several opening marks, and empty or further blocks of reasoning, also at the end. Newlines around the
/// reasoning belong to the marks. Other control tokens are not shown.
///
/// One object parses one answer.
public final class OutputParser {
    private enum Part {
        /// Nothing but white space yet, where `<think>` written as text would be an opening mark.
        START,
        CONTENT,
        /// Just behind an opening mark: what follows may be the mark's header.
        HEADER,
        REASONING
    }

    private final Tokenizer tokenizer;
    private final Markers markers;
    /// Text that cannot be placed before more is known.
    private final StringBuilder pending = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    private Part part;
    private boolean reasoned;
    private boolean blockIsEmpty = true;
    /// Newlines at the end of the reasoning so far: shown only if more follows.
    private int newlines;

    private boolean skipsNewlines;

    private OutputParser(Tokenizer tokenizer, Markers markers) {
        this.tokenizer = tokenizer;
        this.markers = markers;
        part = markers.openId().isPresent() ? Part.CONTENT : Part.START;
    }

    /// @param prompt the tokens after which the answer begins
    public static OutputParser of(Tokenizer tokenizer, int[] prompt) {
        return of(tokenizer, Markers.of(tokenizer), prompt);
    }

    /// @param markers of this tokenizer
    /// @param prompt the tokens after which the answer begins
    public static OutputParser of(Tokenizer tokenizer, Markers markers, int[] prompt) {
        var parser = new OutputParser(tokenizer, markers);
        parser.begin(prompt);
        return parser;
    }

    /// Whether the next text would be reasoning.
    public boolean isReasoning() {
        return part == Part.HEADER || part == Part.REASONING;
    }

    /// @param token the token generated
    /// @param text what it adds to the visible text, as a stream decoder gives it; may be empty
    public Delta append(int token, String text) {
        if (markers.opens(token)) {
            open();
        } else if (markers.closes(token)) {
            close();
        } else if (!tokenizer.isControl(token)) {
            feed(text);
        }
        return take();
    }

    /// Text that came after the last token: the rest of a stream decoder, in which tokens play no part.
    public Delta append(String text) {
        feed(text);
        return take();
    }

    /// The end: gives what was held back.
    public Delta finish() {
        switch (part) {
            case START -> content.append(pending);
            case HEADER -> endHeader();
            case REASONING -> reason(pending.toString());
            case CONTENT -> {}
        }
        pending.setLength(0);
        newlines = 0;
        return take();
    }

    /// Begins in the state that the prompt's last turn leaves behind.
    private void begin(int[] prompt) {
        int from = prompt.length;
        while (from > 0) {
            int token = prompt[from - 1];
            if (markers.opens(token)) {
                open();
                feed(text(prompt, from));
                break;
            }
            if (markers.closes(token)) {
                skipsNewlines = markers.gap();
                part = Part.CONTENT;
                break;
            }
            if (tokenizer.isControl(token) || markers.beginsTurn(token)) {
                break;
            }
            from--;
        }
        if (markers.openId().isEmpty()) {
            String tail = text(prompt, from);
            int open = tail.lastIndexOf(markers.open());
            if (open >= 0 && tail.substring(open + markers.open().length()).isBlank()) {
                open();
            }
        }
        reasoning.setLength(0);
        content.setLength(0);
        reasoned = false;
    }

    private String text(int[] tokens, int from) {
        var bytes = new ByteArrayOutputStream();
        for (int i = from; i < tokens.length; i++) {
            bytes.writeBytes(tokenizer.bytes(tokens[i]));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private Delta take() {
        if (reasoning.isEmpty() && content.isEmpty()) {
            return Delta.EMPTY;
        }
        var delta = new Delta(reasoning.toString(), content.toString());
        reasoning.setLength(0);
        content.setLength(0);
        return delta;
    }

    private void open() {
        switch (part) {
            case START -> content.append(pending);
            case HEADER -> endHeader();
            case REASONING -> reason(pending.toString());
            case CONTENT -> {}
        }
        pending.setLength(0);
        if (!isReasoning()) {
            blockIsEmpty = true;
            newlines = 0;
        }
        part = markers.header().isEmpty() ? Part.REASONING : Part.HEADER;
    }

    private void close() {
        switch (part) {
            case START, CONTENT -> content.append(pending);
            case HEADER -> endHeader();
            case REASONING -> reason(pending.toString());
        }
        pending.setLength(0);
        if (isReasoning()) {
            skipsNewlines = markers.gap();
        }
        newlines = 0;
        part = Part.CONTENT;
    }

    /// The header may have come without its newline; anything else is reasoning.
    private void endHeader() {
        if (!markers.header().strip().equals(pending.toString())) {
            reason(pending.toString());
        }
    }

    private void feed(String text) {
        pending.append(text);
        Part before;
        do {
            before = part;
            switch (part) {
                case START -> start();
                case HEADER -> header();
                case REASONING -> think();
                case CONTENT -> answer();
            }
        } while (part != before);
    }

    private void start() {
        String text = pending.toString().stripLeading();
        if (text.startsWith(markers.open())) {
            pending.delete(0, pending.length() - text.length() + markers.open().length());
            blockIsEmpty = true;
            part = Part.REASONING;
        } else if (!markers.open().startsWith(text)) {
            part = Part.CONTENT;
        }
    }

    private void header() {
        String text = pending.toString();
        if (text.startsWith(markers.header())) {
            pending.delete(0, markers.header().length());
            part = Part.REASONING;
        } else if (!markers.header().startsWith(text)) {
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
                String rest = pending.substring(close + markers.close().length());
                pending.setLength(0);
                close();
                pending.append(rest);
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
        String text = pending.toString().stripLeading();
        if (text.startsWith(markers.open())) {
            pending.delete(0, pending.length() - text.length() + markers.open().length());
            return false;
        }
        return !text.isEmpty() && markers.open().startsWith(text);
    }

    private void answer() {
        int start = 0;
        if (skipsNewlines) {
            while (start < pending.length() && pending.charAt(start) == '\n') {
                start++;
            }
            skipsNewlines = start == pending.length();
        }
        content.append(pending, start, pending.length());
        pending.setLength(0);
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
