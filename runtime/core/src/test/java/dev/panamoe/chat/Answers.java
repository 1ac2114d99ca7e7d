package dev.panamoe.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Answers written down as `text⟦mark⟧text`: what stands in the brackets is a token of that name, everything else text,
/// which may come in any pieces.
final class Answers {
    /// The most a test shows of what it expects.
    record Parsed(String reasoning, String content, List<String> calls) {
        static Parsed of(String reasoning, String content, String... calls) {
            return new Parsed(reasoning, content, List.of(calls));
        }
    }

    /// A token with the text that it adds.
    record Piece(int token, String text) {}

    private static final String TEXT = "text";

    private Answers() {}

    /// A vocabulary of marks, and one token that stands for all text.
    static WordTokenizer vocabulary(List<String> control, List<String> userDefined) {
        return new WordTokenizer(control, userDefined, List.of(TEXT));
    }

    static Parsed parse(WordTokenizer tokenizer, List<Tool> tools, String prompt, String answer) {
        return run(tokenizer, tools, prompt, pieces(tokenizer, answer));
    }

    /// The results of an answer in one piece, in single characters, cut in two at every place, and cut at random.
    static Stream<Parsed> parseInPieces(WordTokenizer tokenizer, List<Tool> tools, String prompt, String answer) {
        List<Piece> whole = pieces(tokenizer, answer);
        Random random = new Random(answer.hashCode());
        Stream<List<Piece>> twoParts = Stream.iterate(1, at -> at < answer.length(), at -> at + 1)
                .map(at -> cut(tokenizer, whole, (position, length) -> position == at));
        Stream<List<Piece>> others = Stream.of(
                whole, single(tokenizer, whole), cut(tokenizer, whole, (position, length) -> random.nextInt(4) == 0));
        return Stream.concat(others, twoParts).map(pieces -> run(tokenizer, tools, prompt, pieces));
    }

    private interface Cut {
        boolean at(int position, int length);
    }

    private static List<Piece> cut(WordTokenizer tokenizer, List<Piece> whole, Cut cut) {
        List<Piece> pieces = new ArrayList<>();
        int position = 0;
        for (Piece piece : whole) {
            int from = 0;
            for (int to = 1; to < piece.text().length(); to++) {
                if (isText(tokenizer, piece) && cut.at(position + to, to)) {
                    pieces.add(new Piece(piece.token(), piece.text().substring(from, to)));
                    from = to;
                }
            }
            pieces.add(new Piece(piece.token(), piece.text().substring(from)));
            position += piece.text().length();
        }
        return pieces;
    }

    private static boolean isText(WordTokenizer tokenizer, Piece piece) {
        return tokenizer.token(piece.token()).equals(TEXT);
    }

    static List<Piece> pieces(WordTokenizer tokenizer, String answer) {
        List<Piece> pieces = new ArrayList<>();
        int at = 0;
        while (at < answer.length()) {
            int open = answer.indexOf('⟦', at);
            int end = open < 0 ? answer.length() : open;
            if (end > at) {
                pieces.add(new Piece(tokenizer.ids(TEXT)[0], answer.substring(at, end)));
            }
            if (open < 0) {
                break;
            }
            int close = answer.indexOf('⟧', open);
            int token = tokenizer.ids(answer.substring(open + 1, close))[0];
            pieces.add(new Piece(token, tokenizer.isControl(token) ? "" : tokenizer.token(token)));
            at = close + 1;
        }
        return pieces;
    }

    static List<Piece> single(WordTokenizer tokenizer, List<Piece> whole) {
        return cut(tokenizer, whole, (position, length) -> true);
    }

    static Parsed run(WordTokenizer tokenizer, List<Tool> tools, String prompt, List<Piece> pieces) {
        // The text of a prompt's token is its name, so only marks and a few words can be in it.
        int[] promptIds = prompt.isEmpty() ? new int[0] : tokenizer.ids(prompt.split(" ", -1));
        OutputParser parser = Dialect.of(tokenizer).parser(tools, promptIds);
        List<Delta> deltas = new ArrayList<>();
        for (Piece piece : pieces) {
            deltas.add(parser.append(piece.token(), piece.text()));
        }
        deltas.add(parser.append(""));
        deltas.add(parser.finish());
        return join(deltas);
    }

    static Parsed join(List<Delta> deltas) {
        return new Parsed(
                deltas.stream().map(Delta::reasoning).collect(Collectors.joining()),
                deltas.stream().map(Delta::content).collect(Collectors.joining()),
                deltas.stream()
                        .flatMap(delta -> delta.toolCalls().stream())
                        .map(call -> call.name() + call.arguments())
                        .toList());
    }
}
