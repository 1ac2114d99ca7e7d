package dev.panamoe.template;

import java.util.ArrayList;
import java.util.List;

/// Python's `range`, at most [#MAX_SIZE] long as the sandbox of Jinja2 has it.
record Range(long start, long stop, long step) {
    static final int MAX_SIZE = 100_000;

    Range {
        if (step == 0) {
            throw TemplateException.valueError("range() arg 3 must not be zero");
        }
        if (count(start, stop, step) > MAX_SIZE) {
            throw new TemplateException(
                    "OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
        }
    }

    int size() {
        return (int) count(start, stop, step);
    }

    List<Object> items() {
        Budget.elements(size());
        var list = new ArrayList<Object>(size());
        for (int i = 0; i < size(); i++) {
            list.add(start + i * step);
        }
        return list;
    }

    /// The operands are within 32 bits, see [Numbers#toInt].
    private static long count(long start, long stop, long step) {
        long span = step > 0 ? stop - start : start - stop;
        long stride = Math.abs(step);
        return span <= 0 ? 0 : (span + stride - 1) / stride;
    }
}
