package dev.panamoe.template;

import java.util.function.Supplier;

/// What one parsing or rendering may use. A template comes with a downloaded file, so it is untrusted: it may loop,
/// double a value until memory is full or nest until the stack is. Work is counted, not timed, so that the same
/// template fails at the same place on every machine; the clock is a second net far behind.
///
/// The budget reaches the operations on values through a scoped value, since Python's semantics put costs (equality,
/// conversion to text) into places far from the interpreter.
final class Budget {
    static final int MAX_DEPTH = 1_000;
    /// One step is about one node evaluated, one element touched or [#CHARS_PER_STEP] characters scanned.
    static final long MAX_STEPS = 20_000_000;

    static final int CHARS_PER_STEP = 64;
    /// Characters, or elements times [#UNITS_PER_ELEMENT], of one value.
    static final long MAX_VALUE = 16L << 20;
    /// The same, summed over everything that one rendering makes.
    static final long MAX_TOTAL = 128L << 20;

    static final int UNITS_PER_ELEMENT = 16;
    private static final long MAX_NANOS = 30_000_000_000L;
    private static final int STEPS_PER_CLOCK = 1 << 14;

    private static final ScopedValue<Budget> CURRENT = ScopedValue.newInstance();

    private final long deadline = System.nanoTime() + MAX_NANOS;
    private long steps;
    private long nextClock = STEPS_PER_CLOCK;
    private long total;
    private int depth;

    private Budget() {}

    /// Does `work` within a fresh budget.
    static <R> R within(Supplier<R> work) {
        try {
            return ScopedValue.where(CURRENT, new Budget()).call(work::get);
        } catch (StackOverflowError e) {
            throw tooDeep();
        }
    }

    static void step() {
        CURRENT.get().spend(1);
    }

    static void steps(long n) {
        CURRENT.get().spend(n);
    }

    /// Before something that looks at `n` characters.
    static void scan(long n) {
        CURRENT.get().spend(1 + n / CHARS_PER_STEP);
    }

    /// Before or just after a text of `n` characters is made.
    static void text(long n) {
        var budget = CURRENT.get();
        budget.spend(1 + n / CHARS_PER_STEP);
        budget.allocate(n);
    }

    /// Before a collection of `n` elements is made.
    static void elements(long n) {
        var budget = CURRENT.get();
        budget.spend(1 + n);
        budget.allocate(Math.multiplyExact(n, UNITS_PER_ELEMENT));
    }

    /// Refuses a value that is still growing; the whole is accounted for when it is done.
    static void growing(long chars) {
        if (chars > MAX_VALUE) {
            throw TemplateException.limit("a value is larger than " + MAX_VALUE + " characters");
        }
    }

    static void enter() {
        var budget = CURRENT.get();
        budget.spend(1);
        if (++budget.depth > MAX_DEPTH) {
            throw tooDeep();
        }
    }

    static void leave() {
        CURRENT.get().depth--;
    }

    private void spend(long n) {
        if (n < 0) { // would give back what was spent
            throw new IllegalArgumentException("negative steps: " + n);
        }
        steps += n;
        if (steps > MAX_STEPS) {
            throw TemplateException.limit("it takes more than " + MAX_STEPS + " steps");
        }
        if (steps > nextClock) {
            nextClock = steps + STEPS_PER_CLOCK;
            if (System.nanoTime() - deadline > 0) {
                throw TemplateException.limit("it takes longer than " + MAX_NANOS / 1_000_000_000 + " seconds");
            }
        }
    }

    private void allocate(long units) {
        if (units > MAX_VALUE) {
            throw TemplateException.limit("a value is larger than " + MAX_VALUE + " characters");
        }
        total += units;
        if (total > MAX_TOTAL) {
            throw TemplateException.limit("its values take more than " + MAX_TOTAL + " characters in all");
        }
    }

    private static TemplateException tooDeep() {
        return TemplateException.limit("it is nested or recurses too deep");
    }
}
