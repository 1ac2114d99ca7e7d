package dev.panamoe.tokenizer;

import java.util.function.IntPredicate;

/// Cuts a text into pieces without losing any of it. Every splitter here looks at each character a bounded number
/// of times: there is no regular-expression engine that could backtrack over a long input.
@FunctionalInterface
interface Splitter {
    /// @param text code points, of which `from .. to` (exclusive) are the text: nothing outside is looked at
    /// @param pieces takes the pieces from left to right, none of them empty
    void split(int[] text, int from, int to, Pieces pieces);

    /// Takes the piece `from .. to` (exclusive).
    @FunctionalInterface
    interface Pieces {
        void accept(int from, int to);
    }

    /// What a regular expression would match at one place.
    @FunctionalInterface
    interface Rule {
        /// The end of the match that begins at `at`, or `at` when there is none. `at` is below `to`.
        int match(int[] text, int at, int to);
    }

    /// Cuts every piece of this splitter again by the next one.
    default Splitter then(Splitter next) {
        return (text, from, to, pieces) -> split(text, from, to, (first, end) -> next.split(text, first, end, pieces));
    }

    /// The matches of a rule from left to right, and what lies between them.
    static Splitter matches(Rule rule) {
        return (text, from, to, pieces) -> {
            int gap = from;
            int at = from;
            while (at < to) {
                int end = rule.match(text, at, to);
                if (end == at) {
                    at++;
                    continue;
                }
                if (gap < at) {
                    pieces.accept(gap, at);
                }
                pieces.accept(at, end);
                at = end;
                gap = end;
            }
            if (gap < to) {
                pieces.accept(gap, to);
            }
        };
    }

    /// `\s+$`: the spaces at the end of the text are a piece of their own.
    static Splitter trailingSpaces() {
        return (text, from, to, pieces) -> {
            int end = to;
            while (end > from && CodePointClass.space(text[end - 1])) {
                end--;
            }
            if (from < end) {
                pieces.accept(from, end);
            }
            if (end < to) {
                pieces.accept(end, to);
            }
        };
    }

    /// `[set]{1,most}`
    static Rule run(IntPredicate set, int most) {
        return (text, at, to) -> runEnd(text, at, to - at > most ? at + most : to, set);
    }

    /// `[set]+`
    static Rule run(IntPredicate set) {
        return run(set, Integer.MAX_VALUE);
    }

    /// `\s?[set]+`
    static Rule afterSpace(IntPredicate set) {
        return (text, at, to) -> {
            if (CodePointClass.space(text[at])) {
                int end = runEnd(text, at + 1, to, set);
                if (end > at + 1) {
                    return end;
                }
            }
            return runEnd(text, at, to, set);
        };
    }

    /// The end of the run of characters of a set that begins at `at`.
    static int runEnd(int[] text, int at, int to, IntPredicate set) {
        int end = at;
        while (end < to && set.test(text[end])) {
            end++;
        }
        return end;
    }
}
