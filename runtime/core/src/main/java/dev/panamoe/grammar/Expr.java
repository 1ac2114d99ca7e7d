package dev.panamoe.grammar;

import java.util.Arrays;
import java.util.List;

/// The right side of a rule, over characters.
sealed interface Expr {
    /// The empty text.
    Expr EMPTY = new Sequence(List.of());

    /// Stands for no upper bound in {@link Repeat}.
    int UNBOUNDED = -1;

    /// @param text without unpaired surrogates
    record Text(String text) implements Expr {}

    record Chars(CharSet set) implements Expr {}

    record Sequence(List<Expr> items) implements Expr {}

    record Choice(List<Expr> items) implements Expr {}

    /// @param most {@link #UNBOUNDED} or at least `least`
    record Repeat(Expr item, int least, int most) implements Expr {}

    record Reference(String rule) implements Expr {}

    static Expr text(String text) {
        return new Text(text);
    }

    static Expr chars(String members) {
        return new Chars(CharSet.of(members));
    }

    static Expr sequence(Expr... items) {
        return new Sequence(Arrays.asList(items));
    }

    static Expr choice(Expr... items) {
        return choice(Arrays.asList(items));
    }

    static Expr choice(List<Expr> items) {
        return items.size() == 1 ? items.getFirst() : new Choice(List.copyOf(items));
    }

    static Expr repeat(Expr item, int least, int most) {
        return new Repeat(item, least, most);
    }

    static Expr optional(Expr item) {
        return new Repeat(item, 0, 1);
    }

    static Expr reference(String rule) {
        return new Reference(rule);
    }
}
